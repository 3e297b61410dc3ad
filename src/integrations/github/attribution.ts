/**
 * The line that names the author of a body that we post in their place. Readers see the author, and Tandem
 * tells the line from the author's own text.
 *
 *   **Mona** wrote: <!-- tandem-author -->
 *
 * 1. `takeAttribution(putAttribution(body, line))` is the canonical body, for every body.
 * 2. The line is recognised by its marker, a comment that GitHub does not show, and never by its text.
 *    Exactly one line is removed: the first that ends with the marker and is no quotation. Other markers
 *    are text, and so is text behind the marker in the first line.
 * 3. People edit around the line. Text above it or in it is theirs, and they may delete it. The next body
 *    that we send has the line at the top again.
 * 4. A body without enough room is posted without the line.
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

/** Removes the line from a body and returns the canonical body. */
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
 * Finds the first line that ends with the marker and is no quotation. In the first line of the body, text
 * may follow the marker, because people type there while nothing is below it.
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

/** Removes exactly what `putAttribution` added: a body may itself begin with blank lines. */
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
