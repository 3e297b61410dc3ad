/** Text in aligned columns. Pure. */
import { stripVTControlCharacters } from "node:util";

const GAP = "  ";

/**
 * Aligns rows, each column as wide as its widest cell; the last one is as long as it is.
 *
 * @param rows a row shorter than the others has no more cells
 * @example columns([["tasks 42", "queued"], ["comments 7", "errored"]])
 */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell + " ".repeat((widths[index] ?? 0) - widthOf(cell)))
      .join(GAP)
      .trimEnd(),
  );
}

/** What is longer than `width` ends in `…`; line breaks become spaces. */
export function cut(text: string, width: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const letters = Array.from(line);
  return letters.length <= width ? line : `${letters.slice(0, width - 1).join("")}…`;
}

function widthOf(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
