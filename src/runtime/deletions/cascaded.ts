/**
 * Records that our own deletion of their parent has taken along, by a foreign key or the app's own code:
 * the parent's resource was deleted, and what belongs to it is no wish of the app's to delete anything.
 */
import type { EventId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { CapturedChange, StoreTransaction } from "../../store/store.ts";

/** A lane that a record's captured writes concern; `row`: as it is now, be it hidden from us. */
interface Concerned {
  readonly lane: LaneId;
  readonly row: unknown;
  readonly hidden: boolean;
  readonly changes: readonly CapturedChange[];
}

/** The lanes whose record went so, each with the event that deleted its parent. */
export async function goneWithParents(
  tx: StoreTransaction,
  lanes: readonly Lane[],
  targets: readonly Concerned[],
): Promise<ReadonlyMap<LaneId, EventId>> {
  const result = new Map<LaneId, EventId>();
  for (const { lane: id, row, hidden, changes } of targets) {
    const lane = lanes.find((one) => one.id === id);
    const origin = changes.at(-1)?.origin ?? null;
    // What has no resource yet, or may be getting one, is looked for and removed.
    if (
      row !== null ||
      hidden ||
      origin === null ||
      lane?.externalId == null ||
      lane.parent === null
    )
      continue;
    const { type, externalId } = lane.parent;
    const [above] = await tx.findLanesByResource(lane.connectionId, type, [externalId]);
    if (above?.side === "resource") result.set(id, origin);
  }
  return result;
}
