/**
 * Our own writes that nobody else has to look at. The drain would find that they say what base says, and
 * drop them: whoever wrote knows that already, from what the write returned.
 */
import { isDeepStrictEqual } from "node:util";
import type { Context } from "../../engine/lane/index.ts";
import { unsentOf } from "../../engine/processing/index.ts";
import type { Content } from "../../model/content.ts";
import type { Lane } from "../../model/lane.ts";
import { mappedColumns, type Row, type RowPatch } from "../../model/mapping.ts";
import { keyText } from "./key-text.ts";
import { placingColumn } from "./placement.ts";

/** A write, and the row as it came out. */
export interface OwnWrite {
  /** The row as it was; `null` where it was made. */
  readonly before: Row | null;
  readonly patch: RowPatch;
  readonly row: Row;
}

/**
 * The columns that moved, as the trigger would tell them, where not all came out as they were written: the
 * app's own code had a hand in it, and the drain has to look. None is the rule.
 *
 * @param lane As it is after the merge.
 * @param content The row in the resource's terms.
 */
export function alteredColumns(
  { before, patch, row }: OwnWrite,
  lane: Lane,
  content: Content,
  context: Context,
): readonly string[] {
  const { mapping } = context;
  const unsent = unsentOf(lane, content, context);
  const isMoved = (column: string) =>
    !isDeepStrictEqual(row[column] ?? null, before?.[column] ?? null);
  const differing = mapping.fields.some(
    ({ column, field }) => unsent[field] !== undefined && isMoved(column),
  );
  const guarded = [placingColumn(mapping), mapping.softDelete].filter((column) => column !== null);
  const moved = guarded.some(
    (column) => keyText(row[column])[0] !== keyText(patch[column] ?? before?.[column])[0],
  );
  return differing || moved ? mappedColumns(mapping).filter(isMoved) : [];
}
