/**
 * Batches of inbound events that need only the database, many in one transaction.
 *
 * An event begins and ends in the transaction that admitted or claimed it if three things hold: its content is
 * trusted, the record's row is not locked, and no code of the app takes part. Every other event stays queued, and a
 * worker processes it singly: it needs a request, waits for something, or fails.
 */
import {
  claim,
  type Context,
  nextEvent,
  processing,
  recheckInbound,
} from "../../engine/lane/index.ts";
import {
  type Plan,
  planMerge,
  recordContent,
  recordWrite,
  type ObservedState,
  observedInPayload,
  stamp,
} from "../../engine/merge/index.ts";
import { concludeInbound } from "../../engine/processing/index.ts";
import type { Content } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { EventId, LaneId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import { type Lane, resourceKey, type Transition } from "../../model/lane.ts";
import type { Mapping, Row, RowPatch } from "../../model/mapping.ts";
import { isContention } from "../../store/database/index.ts";
import { RecordWriteError } from "../../store/rules/index.ts";
import type { Decided, StoreTransaction, ToldBy } from "../../store/store.ts";
import type { SaveAdmitted } from "../admission/index.ts";
import { saveDecided } from "../claims/index.ts";
import { alteredColumns, newRecordPatch, planOnRow } from "../records/index.ts";
import { type DirectorySnapshot, groupBy, mapBy } from "../services/index.ts";

/** A lease that is never committed, because the event ends in the same transaction. */
const LEASE_MS = 60_000;

/** An event that was claimed in memory only. */
interface ClaimedUpdate {
  readonly start: Transition;
  readonly event: TandemEvent;
  readonly context: Context;
  readonly observed: ObservedState;
}

/** A planned merge, with the columns that it writes. */
interface Planned extends ClaimedUpdate {
  readonly merged: Plan;
  /** The record's content before the merge; `null` if the record is created. */
  readonly before: Content | null;
  readonly row: Row | null;
  readonly patch: RowPatch;
}

/** Another transaction holds a row that the batch needs. The batch is not retried: its events are processed singly. */
class BatchBusyError extends Error {
  override readonly name = "BatchBusyError";
}

/** The outcome of a batch. */
export interface BatchOutcome {
  /** The number of lanes whose event has ended. */
  readonly ended: number;
  /** Whether records were written whose captures the drain must consume. */
  readonly toDrain: boolean;
}

/** The way to save admitted events that also applies the batch; `undefined` without a worker: all events are queued. */
export function applyBatchAs(worker: string | null): SaveAdmitted | undefined {
  if (worker === null) return undefined;
  return (tx, decided, book) => applyBatch(tx, decided, worker, book);
}

/** Saves the decisions on locked lanes, and ends every event that can be ended in this transaction. */
export async function applyBatch(
  tx: StoreTransaction,
  decided: readonly Decided[],
  worker: string,
  book: DirectorySnapshot,
): Promise<BatchOutcome> {
  const { results, created, toDrain } = await processBatch(tx, decided, worker, book);
  await saveDecided(
    tx,
    decided.map(({ before, after }) => ({ before, after: results.get(before.id) ?? after })),
  );
  // Wake waiting children last: their lanes may be in this batch, and saving would undo the wake-up.
  await tx.wakeChildren(created.filter((lane) => book.mayHaveChildren(lane)));
  return { ended: results.size, toDrain };
}

interface Worked {
  readonly results: ReadonlyMap<LaneId, Transition>;
  /** Lanes whose record was created. */
  readonly created: readonly Lane[];
  readonly toDrain: boolean;
}

async function processBatch(
  tx: StoreTransaction,
  decided: readonly Decided[],
  worker: string,
  book: DirectorySnapshot,
): Promise<Worked> {
  const results = new Map<LaneId, Transition>();
  const begun: ClaimedUpdate[] = [];
  for (const item of decided) {
    const step = begin(item, worker, book, tx.now);
    if (step === null) continue;
    if ("observed" in step) begun.push(step);
    else results.set(item.before.id, step);
  }
  const created: Lane[] = [];
  let toDrain = false;
  for (const mapping of mappingsOf(begun)) {
    const own = begun.filter(({ context }) => context.mapping === mapping);
    const planned = [
      ...(await planUpdates(tx, mapping, own)),
      ...(await planCreates(tx, mapping, own, results, decided, book)),
    ];
    // If no other lane and no journal watches these records, skip the capture trigger.
    const isUnwatched = own.every(({ start }) => book.isOnlyLane(start.lane, mapping));
    const toldBy = isUnwatched ? "writer" : "trigger";
    const written = await writeAccepted(tx, mapping, planned, toldBy).catch((error: unknown) => {
      throw isContention(error)
        ? new BatchBusyError("a row is held that a shared write needs", { cause: error })
        : error;
    });
    const altered: Parameters<StoreTransaction["changes"]["note"]>[0][number][] = [];
    for (const { item, id, row } of written) {
      const { start, event, observed, merged, before, context } = item;
      const after = { id, content: recordContent(mapping, row) };
      const concluded = concludeInbound(start, event, observed, merged, { before, after }, context);
      results.set(start.lane.id, concluded);
      if (before === null) created.push(concluded.lane);
      const own = { before: item.row, patch: item.patch, row };
      const columns = isUnwatched
        ? alteredColumns(own, concluded.lane, after.content, context)
        : [];
      if (columns.length > 0) {
        altered.push({ recordType: mapping.recordType, recordId: id, columns, origin: event.id });
      }
    }
    await tx.changes.note(altered);
    toDrain ||= altered.length > 0 || (!isUnwatched && written.length > 0);
  }
  return { results, created, toDrain };
}

/**
 * Claims the lane's next event in memory. Returns a transition if the check of the event ends it already; `null` if
 * there is no event, or if it must be processed singly.
 */
function begin(
  decided: Decided,
  worker: string,
  book: DirectorySnapshot,
  now: Instant,
): ClaimedUpdate | Transition | null {
  const { lane, ended } = decided.after;
  const next = nextEvent(lane, now);
  if (next === null || next.direction === "outbound" || next.action === "delete") return null;
  if (needsMore(lane) || !book.mayBatch(lane)) return null;
  // A lane with an errored event is likely to fail again, which would cost the whole batch.
  if (decided.before.live.some(({ state }) => state === "errored")) return null;
  const context = book.context(lane, now);
  const { lane: claimed } = claim(lane, next, worker, now, LEASE_MS);
  const event = processing(claimed);
  if (context.switchedOff.inbound !== null || event === null) return null;
  const start = { lane: claimed, ended };
  const recheck = recheckInbound(start, event, now);
  if (recheck.verdict === "ended") return recheck.transition;
  if (recheck.verdict === "reread") return null;
  return { start, event, context, observed: observedInPayload(event, context) };
}

/** Whether the lane waits for a create, or its record must follow a move or be taken out of the archive. */
function needsMore({ awaitingIntent, moved, returned, archivedAs }: Lane): boolean {
  return awaitingIntent !== null || moved !== null || returned !== null || archivedAs !== null;
}

/** The mappings of a batch. Parents come first, because a child's record refers to its parent's. */
function mappingsOf(begun: readonly ClaimedUpdate[]): readonly Mapping[] {
  const mappings = [...new Set(begun.map(({ context }) => context.mapping))];
  return mappings.sort((a, b) => Number(a.parent !== null) - Number(b.parent !== null));
}

async function planUpdates(
  tx: StoreTransaction,
  mapping: Mapping,
  begun: readonly ClaimedUpdate[],
): Promise<readonly Planned[]> {
  // If a record has several lanes, only the first one is merged: the others must see its write.
  const first = new Map<string, ClaimedUpdate>();
  for (const item of begun) {
    const { recordId } = item.start.lane;
    if (recordId !== null && !first.has(recordId)) first.set(recordId, item);
  }
  const paired = [...first].map(([recordId, item]) => ({ item, recordId }));
  if (paired.length === 0) return [];
  const ids = paired.map(({ recordId }) => recordId);
  const { rows, captured } = await tx.records.lockFree(mapping, ids);
  const pending = mapBy(captured, ({ recordId }) => recordId);
  const wall = await tx.records.stampClock(mapping);
  return paired.flatMap(({ item, recordId }): readonly Planned[] => {
    const row = rows.get(recordId);
    if (row === undefined) return [];
    const { start, observed, context } = item;
    return skipOnError(() => {
      const captures = pending.get(recordId) ?? [];
      const { lane, before, merged } = planOnRow(start.lane, row, captures, observed, context);
      const changes = Object.keys(merged.toRecord).length > 0;
      const { patch, references } = recordWrite(mapping, merged.toRecord, row);
      if (references.length > 0) return null;
      const whole = changes ? { ...patch, ...stamp(mapping, row, observed.at, wall) } : {};
      return { ...item, start: { ...start, lane }, merged, before, row, patch: whole };
    });
  });
}

async function planCreates(
  tx: StoreTransaction,
  mapping: Mapping,
  begun: readonly ClaimedUpdate[],
  results: ReadonlyMap<LaneId, Transition>,
  decided: readonly Decided[],
  book: DirectorySnapshot,
): Promise<readonly Planned[]> {
  const fresh = begun.filter(({ start }) => start.lane.recordId === null);
  if (fresh.length === 0) return [];
  const parents = await parentsOf(tx, mapping, fresh, results, decided);
  return fresh.flatMap((item): readonly Planned[] => {
    const { start, observed, context, event } = item;
    const contact = book.contact(start.lane.connectionId);
    const parentId = parents === null ? null : (parents.get(start.lane.id) ?? null);
    if (contact === null || (parents !== null && parentId === null)) return [];
    return skipOnError(() => {
      const merged = planMerge(start.lane, observed, null, context);
      const { patch, references } = recordWrite(mapping, merged.toRecord, null);
      if (references.length > 0) return null;
      const defaults = book.hooks(mapping).defaults(merged.toRecord, event);
      const { scope } = contact.connection;
      const whole = newRecordPatch(mapping, { ...defaults, ...patch }, observed.at, {
        scope,
        parentId,
      });
      return { ...item, merged, before: null, row: null, patch: whole };
    });
  });
}

/**
 * The parent record of each lane that has one; `null` if the mapping has no parents. A parent that has ended or is
 * moving does not count, so its child is processed singly.
 */
async function parentsOf(
  tx: StoreTransaction,
  mapping: Mapping,
  fresh: readonly ClaimedUpdate[],
  results: ReadonlyMap<LaneId, Transition>,
  decided: readonly Decided[],
): Promise<ReadonlyMap<LaneId, string> | null> {
  if (mapping.parent === null) return null;
  const below = fresh.flatMap(({ start: { lane } }) =>
    lane.parent === null ? [] : [{ lane, parent: lane.parent }],
  );
  const records = new Map<string, string | null>();
  for (const group of groupBy(below, ({ lane, parent }) => `${lane.connectionId}/${parent.type}`)) {
    const [first] = group;
    if (first === undefined) continue;
    const { connectionId } = first.lane;
    const ids = [...new Set(group.map(({ parent }) => parent.externalId))];
    for (const { externalId, ...parent } of await tx.findLanes({
      kind: "of_resources",
      connectionId,
      resourceType: first.parent.type,
      externalIds: ids,
    })) {
      const recordId = parent.tombstone !== null || parent.moved !== null ? null : parent.recordId;
      records.set(resourceKey(connectionId, first.parent.type, externalId), recordId);
    }
  }
  // The batch's own decisions are newer than the stored lanes, and lanes created here are not stored yet.
  for (const { before, after } of decided) {
    const lane = results.get(before.id)?.lane ?? after.lane;
    if (lane.externalId === null) continue;
    const recordId = lane.tombstone !== null || lane.moved !== null ? null : lane.recordId;
    records.set(resourceKey(lane.connectionId, lane.resourceType, lane.externalId), recordId);
  }
  return new Map(
    below.flatMap(({ lane, parent }) => {
      const recordId =
        records.get(resourceKey(lane.connectionId, parent.type, parent.externalId)) ?? null;
      return recordId === null ? [] : [[lane.id, recordId] as const];
    }),
  );
}

/**
 * Writes all records except those that the table refuses, which are found by bisection: one bad record costs the
 * others a few statements, not their turn.
 */
async function writeAccepted(
  tx: StoreTransaction,
  mapping: Mapping,
  planned: readonly Planned[],
  toldBy: ToldBy,
): Promise<Awaited<ReturnType<typeof writeAll>>> {
  try {
    return await tx.records.attempt(() => writeAll(tx, mapping, planned, toldBy));
  } catch (error) {
    // A fault of the table concerns every row, so bisection would not help.
    if (!(error instanceof RecordWriteError) || error.code === "table_changed") throw error;
    if (planned.length === 1) return [];
    const middle = Math.ceil(planned.length / 2);
    return [
      ...(await writeAccepted(tx, mapping, planned.slice(0, middle), toldBy)),
      ...(await writeAccepted(tx, mapping, planned.slice(middle), toldBy)),
    ];
  }
}

/** Writes the planned records with one statement for inserts and one for updates. */
async function writeAll(
  tx: StoreTransaction,
  mapping: Mapping,
  planned: readonly Planned[],
  toldBy: ToldBy,
): Promise<readonly { readonly item: Planned; readonly id: string; readonly row: Row }[]> {
  const [first] = planned;
  if (first === undefined) return [];
  // The mark must only show that Tandem wrote. The ledger tells which event did.
  const origin: EventId = first.event.id;
  const fresh = planned.filter(({ row }) => row === null);
  const made =
    fresh.length === 0
      ? null
      : await tx.records.insertAll(
          mapping,
          fresh.map(({ patch }) => patch),
          origin,
          toldBy,
        );
  const patches = new Map(
    planned.flatMap(({ row, patch, start }) =>
      row === null || start.lane.recordId === null || Object.keys(patch).length === 0
        ? []
        : [[start.lane.recordId, patch] as const],
    ),
  );
  const updated =
    patches.size === 0
      ? new Map<string, Row>()
      : await tx.records.updateAll(mapping, patches, origin, toldBy);
  return planned.flatMap((item) => {
    const { recordId } = item.start.lane;
    const inserted = recordId === null ? made?.[fresh.indexOf(item)] : undefined;
    if (inserted !== undefined) return [{ item, ...inserted }];
    const row = recordId === null ? null : (updated.get(recordId) ?? item.row);
    return recordId === null || row === null ? [] : [{ item, id: recordId, row }];
  });
}

/** Skips an event if one of the app's own functions throws: it is processed singly then, and reports the error. */
function skipOnError(plan: () => Planned | null): readonly Planned[] {
  try {
    const planned = plan();
    return planned === null ? [] : [planned];
  } catch {
    return [];
  }
}
