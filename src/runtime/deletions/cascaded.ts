/**
 * Records that were deleted with their parent, by a foreign key or the app's own code, after Tandem deleted the
 * parent because its resource was deleted. The app did not ask to delete the children's resources.
 */
import type { EventId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { isEndedByResource } from "../../model/tombstone.ts";
import type { CapturedChange, StoreTransaction } from "../../store/store.ts";

/** A lane whose record has captured writes. `row`: the present row; `null` if it is deleted or hidden. */
interface Concerned {
  readonly lane: LaneId;
  readonly row: unknown;
  readonly hidden: boolean;
  readonly changes: readonly CapturedChange[];
}

/** The lanes whose record was deleted with its parent, each with the event that deleted the parent. */
export async function goneWithParents(
  tx: StoreTransaction,
  lanes: readonly Lane[],
  targets: readonly Concerned[],
): Promise<ReadonlyMap<LaneId, EventId>> {
  const result = new Map<LaneId, EventId>();
  for (const { lane: id, row, hidden, changes } of targets) {
    const lane = lanes.find((one) => one.id === id);
    const origin = changes.at(-1)?.origin ?? null;
    // A lane without a resource may have a create in progress: its resource must be found and removed.
    if (
      row !== null ||
      hidden ||
      origin === null ||
      lane?.externalId == null ||
      lane.parent === null
    )
      continue;
    const { type, externalId } = lane.parent;
    const [above] = await tx.findLanes({
      kind: "of_resources",
      connectionId: lane.connectionId,
      resourceType: type,
      externalIds: [externalId],
    });
    if (isEndedByResource(above?.tombstone ?? null)) result.set(id, origin);
  }
  return result;
}
