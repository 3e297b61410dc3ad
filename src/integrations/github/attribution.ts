/**
 * The line that says who wrote a body that we post: how a reader sees the author, and how Tandem
 * tells the line from what they wrote.
 *
 *   **Mona** wrote: <!-- tandem-author -->
 *
 * 1. `takeAttribution(putAttribution(body, line))` is the body, canonically, whatever it holds.
 * 2. It is known by its marker, a comment that GitHub does not show, and never by its text. One line
 *    is taken out, no more: the first that ends with the marker and is no quotation. Others are text.
 *    What is typed behind the marker, at the top of the body, is text too.
 * 3. People edit around it. What they type above it or in it, or that they take it away, is theirs;
 *    the next body that we send has the line at the top again.
 * 4. A body that leaves no room is posted without.
 */
import { storableText } from "../../model/content.ts";

const MARKER = "<!-- tandem-author -->";
const SEPARATOR = "\n\n";

/**
 * Puts a line above a body.
 *
 * @param line One line of Markdown; line ends become spaces, and it cannot be a quotation.
 * @example putAttribution("Fix it", "**Mona** wrote:") // "**Mona** wrote: <!-- tandem-author -->\n\nFix it"
 */
export function putAttribution(body: string, line: string): string {
  const text = storableText(body);
  const said = oneLine(line);
  const marked = said === "" ? MARKER : `${said} ${MARKER}`;
  return text === "" ? marked : `${marked}${SEPARATOR}${text}`;
}

/** Takes the line out of a body; the body comes back canonical. */
export function takeAttribution(body: string): string {
  const text = storableText(body);
  const found = findLine(text);
  if (found === null) return text;
  const above = text.slice(0, found.start);
  const below = text.slice(found.end);
  if (above.trim() === "") return withoutSeparator(below);
  const typed = above.trimEnd();
  return below.trim() === "" ? typed : `${typed}${SEPARATOR}${below.replace(/^\s*\n/, "")}`;
}

/**
 * The first line that ends with the marker and is no quotation. In the first line people type right
 * behind the marker, as long as there is nothing below it.
 */
function findLine(text: string): { readonly start: number; readonly end: number } | null {
  // A line is read once, however many markers it has: a hostile body must not cost quadratic time.
  for (let from = text.indexOf(MARKER); from !== -1;) {
    const start = text.lastIndexOf("\n", from) + 1;
    const next = text.indexOf("\n", from);
    const end = next === -1 ? text.length : next;
    const line = text.slice(start, end);
    if (!line.trimStart().startsWith(">")) {
      const behind = from + MARKER.length;
      if (start === 0) return { start, end: text.slice(behind, end).trim() === "" ? end : behind };
      if (line.trimEnd().endsWith(MARKER)) return { start, end };
    }
    from = text.indexOf(MARKER, end);
  }
  return null;
}

/** Takes off what `putAttribution` added and no more, since a body may itself begin with blank lines. */
function withoutSeparator(below: string): string {
  if (below.startsWith(SEPARATOR)) return below.slice(SEPARATOR.length);
  return below.startsWith("\n") ? below.slice(1) : below;
}

function oneLine(line: string): string {
  return storableText(line)
    .replaceAll("<!--", "&lt;!--")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/^[>\s]+/, "");
}
