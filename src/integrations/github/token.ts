/**
 * The token in a body: how Tandem recognises what it created itself.
 *
 * It is an HTML comment after a blank line at the end of the body, so GitHub does not show it.
 *
 * 1. `takeToken(putToken(body, token))` gives back body and token, whatever the body holds.
 * 2. One marker is taken out, no more: the last that begins a line or ends the body. People type
 *    below it, so it need not be the end. Other markers are text that somebody wrote and stay.
 * 3. A body that leaves no room travels without a token; `hasRoomForToken` tells beforehand.
 *
 * Whether the token is ours is not decided here: anybody can copy a body.
 */
import { storableText } from "../../model/content.ts";

/** GitHub's limit for the body of an issue or a comment. */
export const BODY_LIMIT = 65_536;

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
const MARKER = /<!-- tandem:([A-Za-z0-9_-]{1,64}) -->/g;
const SEPARATOR = "\n\n";

/** A body as people wrote it, and the token that was found in it. */
export interface TokenedBody {
  readonly body: string;
  readonly token: string | null;
}

/**
 * Adds a token to a body, or gives back the body as it is where the token is `null` or does not fit.
 *
 * @example putToken("Fix the door", "k3J9") // "Fix the door\n\n<!-- tandem:k3J9 -->"
 * @throws RangeError when the token holds anything but letters, digits, `_` and `-`.
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
 * Takes the token out of a body; the body comes back canonical.
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

/** Counts UTF-16 units: never fewer than GitHub's characters, so what fits here fits there. */
function fits(text: string): boolean {
  return text.length <= BODY_LIMIT;
}

function startsLine(text: string, index: number): boolean {
  return index === 0 || text[index - 1] === "\n";
}

/** Takes off what `putToken` added and no more, since a body may itself end in blank lines. */
function withoutSeparator(text: string): string {
  if (text.endsWith(SEPARATOR)) return text.slice(0, -SEPARATOR.length);
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function joined(above: string, below: string): string {
  if (isBlank(below)) return above;
  const typed = below.replace(/^\s+/, "");
  return above === "" ? typed : `${above}${SEPARATOR}${typed}`;
}

/** Stops at the first character that shows: `trim` would read the text's end each time. */
function isBlank(text: string): boolean {
  return !/\S/.test(text);
}
