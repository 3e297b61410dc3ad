/**
 * How a paired record stands, compared with base and with its connection: the finding of a sweep. The first row that
 * applies decides:
 *
 *   no record, or an ended pairing                same
 *   the record belongs to another connection      moved, even if an outbound event is live
 *   held, or compared by an outbound event        same
 *   no row, or a soft-deleted one                 gone
 *   values that the resource does not have        differs
 */
import type { Lane } from "../../model/lane.ts";
import { isSoftDeleted, type Row } from "../../model/mapping.ts";
import type { Context } from "../lane/index.ts";
import { MappingError, recordContent } from "../merge/index.ts";
import { unsentOf } from "./inbound.ts";

/** @param hasLeft Whether the record belongs to another connection than the lane's. */
export function recordStanding(
  lane: Lane,
  row: Row | null,
  hasLeft: boolean,
  context: Context,
): "same" | "moved" | "gone" | "differs" {
  if (lane.recordId === null || lane.tombstone !== null) return "same";
  const isGone = row === null || isSoftDeleted(context.mapping, row);
  if (hasLeft && !isGone) return "moved";
  if (isLookedAt(lane)) return "same";
  if (isGone) return "gone";
  return lane.base !== null && hasUnsent(lane, row, context) ? "differs" : "same";
}

/**
 * Whether a comparison of the lane's record is not needed, because an outbound event will make it, or not allowed: the
 * lane is switched off, or its record is still archived although its resource returned.
 */
function isLookedAt(lane: Lane): boolean {
  const isHeld = lane.disabled !== null || lane.returned !== null;
  return isHeld || lane.live.some(({ direction }) => direction === "outbound");
}

/** If the mapping throws for the row, the record's own events report the error. */
function hasUnsent(lane: Lane, row: Row, context: Context): boolean {
  try {
    const content = recordContent(context.mapping, row);
    return Object.keys(unsentOf(lane, content, context)).length > 0;
  } catch (error) {
    if (error instanceof MappingError) return false;
    throw error;
  }
}
