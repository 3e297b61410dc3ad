/**
 * Inbound events that need nothing but the database, many in one transaction.
 *
 * Where what the resource says is trusted, the record's row is free and no code of the app takes part,
 * an event begins and ends in the transaction that admitted or claimed it. Everything else is left as
 * it is, for a worker that works on it alone: what needs a request, waits for something, or fails.
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
  type Sight,
  sightOfPayload,
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
import { type AddressBook, groupBy, mapBy } from "../services/index.ts";

/** A lease that nobody ever sees: the event has ended when the transaction has. */
const LEASE_MS = 60_000;

/** An event that has begun, in memory only. */
interface Begun {
  readonly start: Transition;
  readonly event: TandemEvent;
  readonly context: Context;
  readonly sight: Sight;
}

/** A merge that is planned, with what it writes into the record. */
interface Planned extends Begun {
  readonly merged: Plan;
  /** The record's content as it was; `null` where it is made. */
  readonly before: Content | null;
  readonly row: Row | null;
  readonly patch: RowPatch;
}

/** Somebody holds what a shared write needs. Nothing of it is tried again together. */
class BatchBusyError extends Error {
  override readonly name = "BatchBusyError";
}

/** What became of what was looked at together. */
export interface BatchOutcome {
  /** Lanes that had an event which has ended. */
  readonly ended: number;
  /** Something was written that the drain has to look at. */
  readonly toDrain: boolean;
}

/** Saves what was admitted, and ends what can be ended together; without a worker all waits for its turn. */
export function applyBatchAs(worker: string | null): SaveAdmitted | undefined {
  if (worker === null) return undefined;
  return (tx, decided, book) => applyBatch(tx, decided, worker, book);
}

/** Saves what was decided on lanes that are held locked, and ends what can be ended together. */
export async function applyBatch(
  tx: StoreTransaction,
  decided: readonly Decided[],
  worker: string,
  book: AddressBook,
): Promise<BatchOutcome> {
  const { results, created, toDrain } = await processBatch(tx, decided, worker, book);
  await saveDecided(
    tx,
    decided.map(({ before, after }) => ({ before, after: results.get(before.id) ?? after })),
  );
  // Who waits is woken last: their own lanes may be among those that were saved.
  await tx.wakeChildren(created.filter((lane) => book.mayHaveChildren(lane)));
  return { ended: results.size, toDrain };
}

interface Worked {
  readonly results: ReadonlyMap<LaneId, Transition>;
  /** Lanes whose record was made. */
  readonly created: readonly Lane[];
  readonly toDrain: boolean;
}

async function processBatch(
  tx: StoreTransaction,
  decided: readonly Decided[],
  worker: string,
  book: AddressBook,
): Promise<Worked> {
  const results = new Map<LaneId, Transition>();
  const begun: Begun[] = [];
  for (const item of decided) {
    const step = begin(item, worker, book, tx.now);
    if (step === null) continue;
    if ("sight" in step) begun.push(step);
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
    // Whom no other lane and no journal concerns, nobody has to be told of.
    const isUnwatched = own.every(({ start }) => book.isOnlyLane(start.lane, mapping));
    const toldBy = isUnwatched ? "writer" : "trigger";
    const written = await writeAccepted(tx, mapping, planned, toldBy).catch((error: unknown) => {
      throw isContention(error)
        ? new BatchBusyError("a row is held that a shared write needs", { cause: error })
        : error;
    });
    const altered: Parameters<StoreTransaction["changes"]["note"]>[0][number][] = [];
    for (const { item, id, row } of written) {
      const { start, event, sight, merged, before, context } = item;
      const after = { id, content: recordContent(mapping, row) };
      const concluded = concludeInbound(start, event, sight, merged, { before, after }, context);
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
 * Claims the lane's next event in memory; what a second look at it ends has ended. `null` where it
 * must be worked on alone, or there is none.
 */
function begin(
  decided: Decided,
  worker: string,
  book: AddressBook,
  now: Instant,
): Begun | Transition | null {
  const { lane, ended } = decided.after;
  const next = nextEvent(lane, now);
  if (next === null || next.direction === "outbound" || next.action === "delete") return null;
  if (needsMore(lane) || !book.mayBatch(lane)) return null;
  // What has just been refused is most likely refused again: it is looked for in no batch.
  if (decided.before.live.some(({ state }) => state === "errored")) return null;
  const context = book.context(lane, now);
  const { lane: claimed } = claim(lane, next, worker, now, LEASE_MS);
  const event = processing(claimed);
  if (context.switchedOff.inbound !== null || event === null) return null;
  const start = { lane: claimed, ended };
  const recheck = recheckInbound(start, event, now);
  if (recheck.verdict === "ended") return recheck.transition;
  if (recheck.verdict === "reread") return null;
  return { start, event, context, sight: sightOfPayload(event, context) };
}

/** Somebody waits for the lane, its record follows it, or is taken out of the archive with it. */
function needsMore({ awaitingIntent, moved, returned, archivedAs }: Lane): boolean {
  return awaitingIntent !== null || moved !== null || returned !== null || archivedAs !== null;
}

/** Parents come first: a child's record names its parent's. */
function mappingsOf(begun: readonly Begun[]): readonly Mapping[] {
  const mappings = [...new Set(begun.map(({ context }) => context.mapping))];
  return mappings.sort((a, b) => Number(a.parent !== null) - Number(b.parent !== null));
}

async function planUpdates(
  tx: StoreTransaction,
  mapping: Mapping,
  begun: readonly Begun[],
): Promise<readonly Planned[]> {
  // Of several lanes of one record the first: what it writes is for the others to see.
  const first = new Map<string, Begun>();
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
    const { start, sight, context } = item;
    return skipOnError(() => {
      const captures = pending.get(recordId) ?? [];
      const { lane, before, merged } = planOnRow(start.lane, row, captures, sight, context);
      const changes = Object.keys(merged.toRecord).length > 0;
      const { patch, references } = recordWrite(mapping, merged.toRecord, row);
      if (references.length > 0) return null;
      const whole = changes ? { ...patch, ...stamp(mapping, row, sight.at, wall) } : {};
      return { ...item, start: { ...start, lane }, merged, before, row, patch: whole };
    });
  });
}

async function planCreates(
  tx: StoreTransaction,
  mapping: Mapping,
  begun: readonly Begun[],
  results: ReadonlyMap<LaneId, Transition>,
  decided: readonly Decided[],
  book: AddressBook,
): Promise<readonly Planned[]> {
  const fresh = begun.filter(({ start }) => start.lane.recordId === null);
  if (fresh.length === 0) return [];
  const parents = await parentsOf(tx, mapping, fresh, results, decided);
  return fresh.flatMap((item): readonly Planned[] => {
    const { start, sight, context, event } = item;
    const contact = book.contact(start.lane.connectionId);
    const parentId = parents === null ? null : (parents.get(start.lane.id) ?? null);
    if (contact === null || (parents !== null && parentId === null)) return [];
    return skipOnError(() => {
      const merged = planMerge(start.lane, sight, null, context);
      const { patch, references } = recordWrite(mapping, merged.toRecord, null);
      if (references.length > 0) return null;
      const defaults = book.hooks(mapping).defaults(merged.toRecord, event);
      const { scope } = contact.connection;
      const whole = newRecordPatch(mapping, { ...defaults, ...patch }, sight.at, {
        scope,
        parentId,
      });
      return { ...item, merged, before: null, row: null, patch: whole };
    });
  });
}

/**
 * The parent record of each lane that has one; `null` where the mapping has no parents. A parent that
 * is not settled is no parent yet: its child waits alone.
 */
async function parentsOf(
  tx: StoreTransaction,
  mapping: Mapping,
  fresh: readonly Begun[],
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
    for (const { externalId, ...parent } of await tx.findLanesByResource(
      ...[connectionId, first.parent.type, ids],
    )) {
      const recordId = parent.tombstoned || parent.moved !== null ? null : parent.recordId;
      records.set(resourceKey(connectionId, first.parent.type, externalId), recordId);
    }
  }
  // What is decided here says more than what is stored, and of what is made here nothing is stored.
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
 * Writes all but what the table refuses, which is found by halves: one record that can never be written
 * costs those beside it a few statements, and not their turn.
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
    // What is wrong with the table is wrong with every row of it.
    if (!(error instanceof RecordWriteError) || error.code === "table_changed") throw error;
    if (planned.length === 1) return [];
    const middle = Math.ceil(planned.length / 2);
    return [
      ...(await writeAccepted(tx, mapping, planned.slice(0, middle), toldBy)),
      ...(await writeAccepted(tx, mapping, planned.slice(middle), toldBy)),
    ];
  }
}

/** Writes what was planned; what cannot be written together is left out. */
async function writeAll(
  tx: StoreTransaction,
  mapping: Mapping,
  planned: readonly Planned[],
  toldBy: ToldBy,
): Promise<readonly { readonly item: Planned; readonly id: string; readonly row: Row }[]> {
  const [first] = planned;
  if (first === undefined) return [];
  // The mark says that it was Tandem; which of the events, the ledger tells.
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

/** The app's own functions may throw: then the event is tried alone, and says so. */
function skipOnError(plan: () => Planned | null): readonly Planned[] {
  try {
    const planned = plan();
    return planned === null ? [] : [planned];
  } catch {
    return [];
  }
}
