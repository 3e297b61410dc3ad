/** A record that was restored although its resource is deleted: it gets another resource, in a new lane. */
import { admitChange } from "../../engine/processing/index.ts";
import type { Lane } from "../../model/lane.ts";
import { isSoftDeleted } from "../../model/mapping.ts";
import { recordMoveOf } from "../../model/tombstone.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { DirectorySnapshot } from "../services/index.ts";
import { noteRestored } from "./restored-children.ts";

/**
 * Creates the record's next lane, with an event that creates its resource; the last lane has ended. A record that was
 * deleted or moved away again meanwhile gets none: the drain found only the ended lane, and would not end a new one.
 */
export async function recreateResource(
  tx: StoreTransaction,
  lane: Lane,
  book: DirectorySnapshot,
): Promise<void> {
  const { connectionId, resourceType, recordType, recordId } = lane;
  const mapping = book.mapping(lane);
  if (mapping === null || recordId === null || recordMoveOf(lane.tombstone) !== null) return;
  const row = (await tx.records.read(mapping, [recordId])).get(recordId);
  if (row === undefined || isSoftDeleted(mapping, row)) return;
  const key = { connectionId, resourceType, recordType, externalId: null, recordId };
  const lanes = await tx.lockLanes(await tx.ensureLanes([key]));
  const change = { action: "upsert", changedAt: {}, ours: false, deleted: null } as const;
  for (const before of lanes) {
    const after = admitChange(before, change, book.context(before, tx.now));
    await tx.saveLanes([{ before, after }]);
    if (after.event !== null) await noteRestored(tx, before, after.event.id);
  }
}
