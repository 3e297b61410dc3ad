/** The resource of a record's parent, found through the parent record's own lane. */
import type { Context } from "../../engine/lane/index.ts";
import type { ParentState } from "../../engine/processing/index.ts";
import { endedIn } from "../../engine/lifecycle/index.ts";
import type { ConnectionId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import { recordMoveOf } from "../../model/tombstone.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { keyText } from "./key-text.ts";

export async function parentState(
  tx: StoreTransaction,
  lane: Lane,
  { mapping }: Context,
): Promise<ParentState> {
  if (mapping.parent === null) return "none";
  if (lane.parent !== null) return lane.parent;
  if (lane.recordId === null) return null;
  const row = (await tx.records.read(mapping, [lane.recordId])).get(lane.recordId);
  const parentIds = keyText(row?.[mapping.parent.column]);
  const lanes = await tx.findLanes({
    kind: "of_records",
    recordType: mapping.parent.recordType,
    recordIds: parentIds,
  });
  const parent = lanes.find((candidate) => isParentOf(candidate, lane, mapping));
  if (parent === undefined) return endedParent(tx, lane, parentIds, mapping);
  if (parent.externalId === null) return null;
  if (parent.moved !== null && (await isToFollow(tx, lane, parent.moved.connection))) return null;
  return { type: parent.resourceType, externalId: parent.externalId };
}

/** Whether the record has an ended lane in the connection that its parent moved from, so that it will follow. */
async function isToFollow(
  tx: StoreTransaction,
  { recordType, recordId, resourceType }: Lane,
  from: ConnectionId,
): Promise<boolean> {
  if (recordId === null) return false;
  const ended = await tx.findLanes({ kind: "ended_of_records", recordType, recordIds: [recordId] });
  return ended.some((one) => one.connectionId === from && one.resourceType === resourceType);
}

/** The parent's ended lane, which gets no resource any more; `null` if the parent may still get one. */
async function endedParent(
  tx: StoreTransaction,
  lane: Lane,
  parentIds: readonly string[],
  mapping: Mapping,
): Promise<ParentState> {
  const lanes = await tx.findLanes({
    kind: "ended_of_records",
    recordType: mapping.parent?.recordType ?? "",
    recordIds: parentIds,
  });
  // If there are several, the last one tells how the parent ended.
  const ended = lanes.findLast((candidate) =>
    endedIn(candidate).some((id) => isParentOf({ ...candidate, connectionId: id }, lane, mapping)),
  );
  if (ended === undefined) return null;
  return { ended: ended.recordId, moved: recordMoveOf(ended.tombstone) !== null };
}

function isParentOf(
  candidate: Pick<Lane, "connectionId" | "resourceType">,
  lane: Lane,
  { resource }: Mapping,
): boolean {
  return candidate.connectionId === lane.connectionId && candidate.resourceType === resource.parent;
}
