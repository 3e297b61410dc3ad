/**
 * The idempotency token in a body, by which Tandem recognises the resources that it created.
 *
 * The token is an HTML comment after a blank line at the end of the body, so GitHub does not show it.
 *
 * 1. `takeToken(putToken(body, token))` returns body and token, for every body.
 * 2. Exactly one marker is removed: the last that begins a line or ends the body. People type below it,
 *    so it may be in the middle. Other markers are text and stay.
 * 3. A body without enough room is sent without a token; `hasRoomForToken` tells this in advance.
 *
 * This file does not decide whether the token is ours: every user can copy a body.
 */
import { storableText } from "../../model/content.ts";

/** GitHub's limit for the body of an issue or a comment. */
export const BODY_LIMIT = 65_536;

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
const MARKER = /<!-- tandem:([A-Za-z0-9_-]{1,64}) -->/g;
const SEPARATOR = "\n\n";

/** A body as people wrote it, and its token. */
export interface TokenedBody {
  readonly body: string;
  readonly token: string | null;
}

/**
 * Adds a token to a body. Returns the body unchanged if the token is `null` or does not fit.
 *
 * @example putToken("Fix the door", "k3J9") // "Fix the door\n\n<!-- tandem:k3J9 -->"
 * @throws RangeError when the token contains anything but letters, digits, `_` and `-`.
 */
export function putToken(body: string, token: string | null): string {
  const text = storableText(body);
  if (token === null) return text;
  const tokened = withMarker(text, token);
  return fits(tokened) ? tokened : text;
}

/** Whether a body can carry a token within GitHub's limit. */
export function hasRoomForToken(body: string, token: string): boolean {
  return fits(withMarker(storableText(body), token));
}

/**
 * Removes the token from a body and returns the canonical body.
 *
 * @example takeToken("Fix it\r\n\r\n<!-- tandem:k3J9 -->\r\n") // { body: "Fix it", token: "k3J9" }
 */
export function takeToken(body: string): TokenedBody {
  const text = storableText(body);
  const marker = [...text.matchAll(MARKER)].findLast(
    (match) => startsLine(text, match.index) || isBlank(text.slice(match.index + match[0].length)),
  );
  if (marker === undefined) return { body: text, token: null };
  const above = withoutSeparator(text.slice(0, marker.index));
  const below = text.slice(marker.index + marker[0].length);
  return { body: joined(above, below), token: marker[1] ?? null };
}

function withMarker(text: string, token: string): string {
  if (!TOKEN.test(token)) throw new RangeError(`not a token: ${JSON.stringify(token)}`);
  const marker = `<!-- tandem:${token} -->`;
  return text === "" ? marker : `${text}${SEPARATOR}${marker}`;
}

/** Counts UTF-16 units. GitHub counts characters, which are never more, so the limit holds there too. */
function fits(text: string): boolean {
  return text.length <= BODY_LIMIT;
}

function startsLine(text: string, index: number): boolean {
  return index === 0 || text[index - 1] === "\n";
}

/** Removes exactly what `putToken` added: a body may itself end in blank lines. */
function withoutSeparator(text: string): string {
  if (text.endsWith(SEPARATOR)) return text.slice(0, -SEPARATOR.length);
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function joined(above: string, below: string): string {
  if (isBlank(below)) return above;
  const typed = below.replace(/^\s+/, "");
  return above === "" ? typed : `${above}${SEPARATOR}${typed}`;
}

/** Stops at the first visible character; `trim` would read the end of the text each time. */
function isBlank(text: string): boolean {
  return !/\S/.test(text);
}
