/** The effect of a deletion at the integration on the record: planned and carried out under its row's lock. */
import {
  awaitRow,
  concludeRemoval,
  keptByApp,
  planRowRemoval,
  type RemovalPlan,
} from "../../engine/processing/index.ts";
import { type Context, isRestoring, softDeleteOf } from "../../engine/lane/index.ts";
import { formatInstant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Mapping, Row } from "../../model/mapping.ts";
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
  const planned = planRowRemoval(lane, record, await hasMovedOn(tx, lane), context);
  const writer = recordWriter(tx, mapping, book.hooks(mapping), event, book.clock);
  const removed = await removeRow(writer, lane, record, planned, context);
  return concludeRemoval(start, event, removed, context);
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

function archivedAs(row: Row, { softDelete }: Mapping): string | null {
  return softDelete === null ? null : softDeleteOf(row, softDelete);
}
