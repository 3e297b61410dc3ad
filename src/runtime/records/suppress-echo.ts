/**
 * Tandem's own writes that the drain need not see: it would find that the row equals base and ignore the capture. The
 * writer knows that already from the row that the write returned.
 */
import { isDeepStrictEqual } from "node:util";
import type { Context } from "../../engine/lane/index.ts";
import { unsentOf } from "../../engine/processing/index.ts";
import type { Content } from "../../model/content.ts";
import type { Lane } from "../../model/lane.ts";
import { mappedColumns, placingColumn, type Row, type RowPatch } from "../../model/mapping.ts";
import { keyText } from "./key-text.ts";

/** A write, and the row that it returned. */
export interface OwnWrite {
  /** The row before the write; `null` if it was created. */
  readonly before: Row | null;
  readonly patch: RowPatch;
  readonly row: Row;
}

/**
 * The changed columns, as the trigger would report them, if the returned row differs from the written values: the
 * app's own code changed it, and the drain must see that. Usually empty.
 *
 * @param lane The lane after the merge.
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
