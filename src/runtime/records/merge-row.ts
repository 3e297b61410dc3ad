/** The record's side of a merge: read or lock the row, plan against it, and write the plan. */
import { type Context, isArchivedByUs } from "../../engine/lane/index.ts";
import type { RecordSide } from "../../engine/lifecycle/index.ts";
import {
  keepRecord,
  type Plan,
  planMerge,
  type RecordAfter,
  recordContent,
  recordWrite,
  type ObservedState,
  stamp,
} from "../../engine/merge/index.ts";
import { changeTimes, takeTimes, unsentOf } from "../../engine/processing/index.ts";
import type { Content } from "../../model/content.ts";
import { formatInstant, type Instant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping, RecordWrite, Row, RowPatch } from "../../model/mapping.ts";
import type { CapturedChange, StoreTransaction } from "../../store/store.ts";
import { lockVisible } from "./absent-rows.ts";
import { isRecordNewer } from "../settings/index.ts";
import type { RecordWriter } from "./write-record.ts";

/** A merge that was planned and written. */
export interface WrittenMerge {
  readonly lane: Lane;
  readonly merged: Plan;
  readonly before: Content | null;
  readonly after: RecordAfter;
}

/** Why a merge could not be written now. */
export type Unwritten = "missing" | "busy" | "hidden";

/** The values that a new record needs besides the mapped fields. */
export interface NewRecord {
  readonly scope: string;
  /** The parent record's key; `null` if the type has no parent. */
  readonly parentId: string | null;
}

/** Merges the resource's content into the lane's record, and creates the record if there is none yet. */
export async function writeMerge(
  tx: StoreTransaction,
  lane: Lane,
  observed: ObservedState,
  writer: RecordWriter,
  context: Context,
  fresh: NewRecord,
): Promise<WrittenMerge | Unwritten> {
  if (lane.recordId === null) return createRecord(tx, lane, observed, writer, context, fresh);
  const { mapping } = context;
  const { recordId } = lane;
  const locked = await lockVisible(tx, mapping, recordId);
  if (!("row" in locked)) return locked.status;
  const pending = await tx.changes.peek(mapping.recordType, [recordId]);
  const planned = planOnRow(lane, locked.row, pending, observed, context);
  const timed = { ...planned.lane, recordId };
  const updated = await updateRecord(tx, timed, locked.row, planned, observed.at, writer, context);
  const row = updated === "record_is_newer" ? locked.row : updated;
  const { merged, before } = planned;
  return {
    lane: timed,
    merged: updated === "record_is_newer" ? keepRecord(merged, before) : merged,
    before,
    after: recordAfter(timed, row, mapping),
  };
}

/** The plan for a record's locked row. */
export interface RowPlan {
  readonly lane: Lane;
  readonly before: Content;
  readonly merged: Plan;
  /** The columns that undo Tandem's own archiving. */
  readonly back: RowPatch;
}

/** Plans a merge into a row. Captured writes that are not drained yet count already. */
export function planOnRow(
  lane: Lane,
  row: Row,
  pending: readonly CapturedChange[],
  observed: ObservedState,
  context: Context,
): RowPlan {
  const { mapping } = context;
  const before = recordContent(mapping, row);
  const timed = pendingTimes(lane, pending, before, context);
  const merged = planMerge(timed, observed, before, context);
  return { lane: timed, before, merged, back: liftedArchive(timed, row, mapping) };
}

/** Whether the plan leaves the row as it is. */
export function leavesRow({ merged, back }: Pick<RowPlan, "merged" | "back">): boolean {
  return Object.keys({ ...merged.toRecord, ...back }).length === 0;
}

/** The record of a lane after a merge. */
export function recordAfter(
  lane: Lane & { readonly recordId: string },
  row: Row,
  mapping: Mapping,
): RecordAfter {
  return {
    id: lane.recordId,
    content: recordContent(mapping, row),
    archived: isArchivedByUs(lane, row, mapping),
  };
}

/** A row to delete, with its content. */
export interface Removable {
  readonly row: Row;
  readonly content: Content;
}

/** Locks the row of a deletion; `null` if it is deleted already. */
export async function lockForRemoval(
  tx: StoreTransaction,
  lane: Lane,
  mapping: Mapping,
): Promise<Removable | null | "busy" | "hidden"> {
  if (lane.recordId === null) return null;
  const locked = await lockVisible(tx, mapping, lane.recordId);
  if ("row" in locked) return { row: locked.row, content: recordContent(mapping, locked.row) };
  return locked.status === "missing" ? null : locked.status;
}

/** Adds the times of captured writes that are not drained yet: the decision which side is later must see them. */
export async function withPendingTimes(
  tx: StoreTransaction,
  lane: Lane,
  record: RecordSide,
  context: Context,
): Promise<Lane> {
  if (record.kind !== "present" || lane.recordId === null) return lane;
  const pending = await tx.changes.peek(context.mapping.recordType, [lane.recordId]);
  return pendingTimes(lane, pending, record.content, context);
}

/**
 * The lane with the times of captured writes, as the drain will set them. A write of Tandem's counts if the record
 * differs from this lane's base: the merge of another lane made it (situation 70).
 */
function pendingTimes(
  lane: Lane,
  pending: readonly CapturedChange[],
  content: Content,
  context: Context,
): Lane {
  if (pending.length === 0) return lane;
  const { mapping } = context;
  const differing = new Set(
    lane.base === null ? [] : Object.keys(unsentOf(lane, content, context)),
  );
  return takeTimes(lane, { changedAt: changeTimes(mapping, pending, differing, lane.id) }, mapping);
}

async function createRecord(
  tx: StoreTransaction,
  lane: Lane,
  observed: ObservedState,
  writer: RecordWriter,
  context: Context,
  fresh: NewRecord,
): Promise<WrittenMerge> {
  const { mapping } = context;
  const merged = planMerge(lane, observed, null, context);
  const write = recordWrite(mapping, merged.toRecord, null);
  const references = await resolve(tx, mapping, write, writer);
  const patch = newRecordPatch(mapping, { ...write.patch, ...references }, observed.at, fresh);
  const { id, row } = await writer.insert(patch, merged.toRecord);
  return { lane, merged, before: null, after: { id, content: recordContent(mapping, row) } };
}

/** The columns of a new record. */
export function newRecordPatch(
  mapping: Mapping,
  patch: RowPatch,
  at: Instant,
  { scope, parentId }: NewRecord,
): RowPatch {
  return {
    ...patch,
    ...(mapping.scopeColumn === null ? {} : { [mapping.scopeColumn]: scope }),
    ...(mapping.parent === null ? {} : { [mapping.parent.column]: parentId }),
    ...(mapping.modifiedAt === null ? {} : { [mapping.modifiedAt]: formatInstant(at) }),
  };
}

async function updateRecord(
  tx: StoreTransaction,
  lane: Lane & { readonly recordId: string },
  row: Row,
  planned: RowPlan,
  at: Instant,
  writer: RecordWriter,
  context: Context,
): Promise<Row | "record_is_newer"> {
  const { mapping } = context;
  const { merged, back } = planned;
  if (leavesRow(planned)) return row;
  const write = recordWrite(mapping, merged.toRecord, row);
  const references = await resolve(tx, mapping, write, writer);
  const patch = {
    ...write.patch,
    ...references,
    ...(await stampOf(tx, mapping, row, at)),
    ...back,
  };
  try {
    return await writer.update(lane.recordId, row, patch);
  } catch (thrown) {
    if (isRecordNewer(thrown)) return "record_is_newer";
    throw thrown;
  }
}

/** The columns that undo Tandem's archiving after the deletion proved wrong. */
function liftedArchive(lane: Lane, row: Row, mapping: Mapping): RowPatch {
  const { softDelete } = mapping;
  if (softDelete === null || lane.tombstone !== null) return {};
  return isArchivedByUs(lane, row, mapping) ? { [softDelete]: null } : {};
}

function resolve(
  tx: StoreTransaction,
  { integration }: Mapping,
  { references }: RecordWrite,
  { event }: RecordWriter,
): Promise<RowPatch> {
  return tx.records.resolveActors(integration, references, event.id);
}

async function stampOf(tx: StoreTransaction, mapping: Mapping, row: Row, at: Instant) {
  return stamp(mapping, row, at, await tx.records.stampClock(mapping));
}
