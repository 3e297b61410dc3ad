/** The effect of a deletion at the integration on the record: planned and carried out under its row's lock. */
import {
  awaitRow,
  concludeRemoval,
  keptArchived,
  keptByApp,
  MOVED_ON,
  planRemoval,
  type RemovalPlan,
} from "../../engine/processing/index.ts";
import {
  type Context,
  isArchivedByUs,
  isRestoring,
  softDeleteOf,
} from "../../engine/lane/index.ts";
import { formatInstant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { isSoftDeleted, type Mapping, type Row } from "../../model/mapping.ts";
import { placeOutOfReach } from "../../model/tombstone.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { ClaimedLane, DirectorySnapshot } from "../services/index.ts";
import { isRecordNewer } from "../settings/index.ts";
import { recreateResource } from "./recreate.ts";
import {
  hasMovedOn,
  lockForRemoval,
  type RecordWriter,
  recordWriter,
  type Removable,
} from "../records/index.ts";

/** Removes the record by the policy of its mapping and ends the event, within the caller's transaction. */
export async function removeRecord(
  tx: StoreTransaction,
  { lane, event, start }: ClaimedLane,
  book: DirectorySnapshot,
  context: Context,
): Promise<Transition> {
  const { mapping } = context;
  const record = await lockForRemoval(tx, lane, mapping);
  if (typeof record === "string") return awaitRow(record, start, event, context);
  if (isRestoring(lane)) await recreateResource(tx, lane, book);
  const removal = planRemoval(lane, record?.content ?? null, context);
  const isArchived = record !== null && isArchivedByApp(lane, record.row, mapping);
  const planned = isLeftOrElsewhere(lane, await hasMovedOn(tx, lane))
    ? MOVED_ON
    : isArchived
      ? keptArchived(removal)
      : removal;
  const writer = recordWriter(tx, mapping, book.hooks(mapping), event, book.clock);
  const removed = await removeRow(writer, lane, record, planned, context);
  return concludeRemoval(start, event, removed, context);
}

/** Whether the record is paired with another resource by now, or its resource is out of reach. */
function isLeftOrElsewhere({ tombstone }: Lane, hasOther: boolean): boolean {
  return hasOther || placeOutOfReach(tombstone) !== null;
}

/** Removes the record as planned. The app's hook may keep it, or refuse because the record is newer. */
async function removeRow(
  writer: RecordWriter,
  lane: Lane,
  record: Removable | null,
  planned: RemovalPlan,
  { mapping, now }: Context,
): Promise<RemovalPlan> {
  if (lane.recordId === null || record === null) return planned;
  try {
    if (planned.removal.kind === "delete") {
      const kept = await writer.delete(lane.recordId, record.row);
      if (kept !== null) return keptByApp(planned, archivedAs(kept, mapping));
    } else if (planned.removal.kind === "archive" && mapping.softDelete !== null) {
      const patch = { [mapping.softDelete]: formatInstant(now) };
      const archived = await writer.update(lane.recordId, record.row, patch);
      return { ...planned, removal: { kind: "archive", as: archivedAs(archived, mapping) } };
    }
  } catch (thrown) {
    if (isRecordNewer(thrown)) return { ...planned, removal: { kind: "detach" } };
    throw thrown;
  }
  return planned;
}

function isArchivedByApp(lane: Lane, row: Row, mapping: Mapping): boolean {
  return isSoftDeleted(mapping, row) && !isArchivedByUs(lane, row, mapping);
}

function archivedAs(row: Row, { softDelete }: Mapping): string | null {
  return softDelete === null ? null : softDeleteOf(row, softDelete);
}
