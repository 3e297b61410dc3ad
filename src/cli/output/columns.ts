/** Text in aligned columns. Pure. */
import { stripVTControlCharacters } from "node:util";

const GAP = "  ";

/**
 * Aligns rows. Each column is as wide as its widest cell; the last column is not padded.
 *
 * @param rows A row may have fewer cells than others.
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

/** Cuts text at `width` characters and ends it with `…`; line breaks become spaces. */
export function cut(text: string, width: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const letters = Array.from(line);
  return letters.length <= width ? line : `${letters.slice(0, width - 1).join("")}…`;
}

function widthOf(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
