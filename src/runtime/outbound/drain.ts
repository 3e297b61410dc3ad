/**
 * The drain: turns captured local writes into outbound events, one per lane and batch. It removes the captures that
 * it reads, and reads the present records, so that a burst of edits is one event.
 */
import { admitOrphan, admitWrites, isHidden } from "../../engine/processing/index.ts";
import type { Admission } from "../../engine/lane/index.ts";
import { routeWrites, type WriteRoute, type WrittenRecord } from "../../engine/lifecycle/index.ts";
import type { FieldChange } from "../../model/event.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { mappedColumns, type Mapping, type Row } from "../../model/mapping.ts";
import type { RecordMove } from "../../model/tombstone.ts";
import type { CapturedChange, Decided, LaneKey, StoreTransaction } from "../../store/store.ts";
import { DirectorySnapshot, mapBy, type Services } from "../services/index.ts";
import { LaneMovedError } from "../admission/index.ts";
import {
  type LaneOfRecord,
  type LaneThatEnded,
  noteExpectedParents,
  shiftOf,
  whereaboutsOf,
} from "../records/index.ts";
import { followUsers } from "../identities/index.ts";
import {
  followRestored,
  goneWithParents,
  noteBelow,
  noteRestored,
  type RecordMoved,
} from "../deletions/index.ts";
import { journalOf } from "../hooks/index.ts";

const BATCH = 500;

/** Drains one batch; returns how many captured writes it consumed. */
export async function drainChanges(services: Services): Promise<number> {
  return services.store.transaction(async (tx) => {
    const changes = await tx.changes.take(BATCH);
    // The drain is woken whenever something may have been written, and mostly nothing was.
    if (changes.length === 0) return 0;
    const book = await DirectorySnapshot.openWithin(tx, services);
    const targets: Target[] = [];
    // Drain parents first: a child's connection is found through its parent's lane.
    const ordered = [...services.mappings].sort((a, b) => depth(a) - depth(b));
    for (const mapping of ordered) {
      const own = changes.filter((change) => concerns(change, mapping));
      if (own.length > 0) targets.push(...(await targetsOf(tx, mapping, own, book, services)));
    }
    const orphans = await followRestored(tx, changes, services, book);
    await admitTargets(tx, targets, orphans, book, services);
    await followUsers(tx, changes, services);
    await tx.appendJournal(journalOf(services, changes, tx.now));
    return changes.length;
  });
}

/**
 * Drains the captures that exist now. It ends even if the app writes as fast as this drains: the oldest captures are
 * taken first, so the present ones are done after the same number.
 */
export async function drainPresent(services: Services): Promise<void> {
  let { undrained } = await services.store.ledger.counts();
  while (undrained > 0) {
    const drained = await drainChanges(services);
    if (drained === 0) return;
    undrained -= drained;
  }
}

/** Whether a capture concerns a mapping: a journal or another mapping may watch columns that this one does not map. */
function concerns({ recordType, operation, columns }: CapturedChange, mapping: Mapping): boolean {
  if (recordType !== mapping.recordType) return false;
  const watched = mappedColumns(mapping);
  return operation !== "update" || columns.some((column) => watched.includes(column));
}

/** A lane whose record has captured writes. */
interface Target {
  readonly lane: LaneId;
  readonly mapping: Mapping;
  /** Whether the lane was alive when it was looked up. */
  readonly living: boolean;
  /** The destination if the record has left the lane's connection. */
  readonly moved: RecordMove | null;
  /** The record was moved here and had no lane here before: its children follow. */
  readonly arrives: boolean;
  /** The key of the next lane, if the lane ended with its record and the record is restored. */
  readonly restores: LaneKey | null;
  /** The lane follows one that has ended: children may have ended because of it, and must be checked. */
  readonly revives: boolean;
  readonly row: Row | null;
  /** The row is absent and may only be hidden from Tandem. */
  readonly hidden: boolean;
  readonly changes: readonly CapturedChange[];
}

function depth(mapping: Mapping): number {
  return mapping.parent === null ? 0 : 1;
}

/** A record with its captured writes, and everything that decides which lanes take them. */
interface RecordToDrain extends WrittenRecord {
  readonly recordId: string;
  readonly writes: readonly CapturedChange[];
}

/** The lanes that take the captured writes of each record. Lanes that do not exist are created. */
async function targetsOf(
  tx: StoreTransaction,
  mapping: Mapping,
  changes: readonly CapturedChange[],
  book: DirectorySnapshot,
  { log }: Pick<Services, "log">,
): Promise<readonly Target[]> {
  const records = await recordsToDrain(tx, mapping, changes, book);
  const unseen = records.filter(({ hidden, living }) => hidden && living.length === 0);
  // Without the row its connection is unknown. A sweep finds the record once the row is visible.
  if (unseen.length > 0) {
    log.warn(
      { table: mapping.recordType, rows: unseen.map(({ recordId }) => recordId) },
      "rows were written that row security hides from Tandem's role: they get no counterpart until it may see them",
    );
  }
  const routed = records.flatMap((record) =>
    routeWrites(record).map((route) => ({ record, route })),
  );
  const keys = routed.flatMap(({ record, route }) =>
    route.kind === "ensured" ? [laneKeyOf(mapping, route.connectionId, record.recordId)] : [],
  );
  const ensured = (await tx.ensureLanes(keys)).values();
  const targets = new Map<LaneId, Target>();
  for (const { record, route } of routed) {
    const lane = route.kind === "ensured" ? ensured.next().value : route.lane;
    if (lane === undefined || targets.has(lane)) continue;
    targets.set(lane, targetOf(lane, route, record));
  }
  return [...targets.values()];
}

function targetOf(
  lane: LaneId,
  route: WriteRoute,
  { mapping, recordId, row, hidden, writes }: RecordToDrain,
): Target {
  const found = { lane, mapping, row, hidden, changes: writes };
  if (route.kind === "ensured") {
    const { arrives, revives } = route;
    return { ...found, living: true, moved: null, arrives, restores: null, revives };
  }
  const { living, moved, restoresIn } = route;
  const restores = restoresIn === null ? null : laneKeyOf(mapping, restoresIn, recordId);
  return { ...found, living, moved, arrives: false, restores, revives: false };
}

/** Reads what decides which lanes take the writes of each record. The lanes are read before the rows. */
async function recordsToDrain(
  tx: StoreTransaction,
  mapping: Mapping,
  changes: readonly CapturedChange[],
  book: DirectorySnapshot,
): Promise<readonly RecordToDrain[]> {
  const byRecord = mapBy(changes, ({ recordId }) => recordId);
  const ids = [...byRecord.keys()];
  const { recordType, resource } = mapping;
  const existing = await tx.findLanes({ kind: "of_records", recordType, recordIds: ids });
  const rows = await tx.records.read(mapping, ids);
  const mayHide = rows.size < ids.length && (await tx.records.mayHideRows(mapping));
  const where = await whereaboutsOf(tx, mapping, rows, existing, book);
  await noteExpectedParents(tx, mapping, rows, where, book);
  const ended = await tx.findLanes({ kind: "ended_of_records", recordType, recordIds: ids });
  const ofType = <Found extends LaneOfRecord | LaneThatEnded>(lanes: readonly Found[]) =>
    mapBy(
      lanes.flatMap((lane) =>
        lane.resourceType === resource.type
          ? [{ ...lane, isMapped: book.mapping(lane) === mapping }]
          : [],
      ),
      ({ recordId }) => recordId,
    );
  const [living, over] = [ofType(existing), ofType(ended)];
  return [...byRecord].map(([recordId, writes]) => {
    const row = rows.get(recordId) ?? null;
    return {
      mapping,
      recordId,
      row,
      hidden: row === null && isHidden(mayHide, writes),
      writes,
      where: where.get(recordId) ?? { kind: "unsettled" },
      living: living.get(recordId) ?? [],
      ended: over.get(recordId) ?? [],
    };
  });
}

function laneKeyOf(
  { resource, recordType }: Mapping,
  connectionId: ConnectionId,
  recordId: string,
): LaneKey {
  return { connectionId, resourceType: resource.type, recordType, externalId: null, recordId };
}

async function admitTargets(
  tx: StoreTransaction,
  targets: readonly Target[],
  orphans: readonly LaneId[],
  book: DirectorySnapshot,
  services: Services,
): Promise<void> {
  const ids = new Set([...targets.map((target) => target.lane), ...orphans]);
  const lanes = await tx.lockLanes([...ids]);
  const rows = await rowsByNow(tx, targets);
  const anew: Target[] = [];
  const back: Admission[] = [];
  const shifts = await shiftsOf(tx, lanes, targets, book);
  const goneWith = await goneWithParents(tx, lanes, targets);
  const moves: RecordMoved[] = [];
  const decided = lanes.flatMap((before): Decided[] => {
    const target = targets.find((candidate) => candidate.lane === before.id);
    const context = book.context(before, tx.now);
    if (target === undefined) return [{ before, after: admitOrphan(before, context) }];
    const outcome = admitWrites(
      before,
      {
        ...target,
        row: rows.get(target) ?? target.row,
        shift: shifts.get(before.id) ?? null,
        restores: target.restores !== null,
        goneWith: goneWith.get(before.id) ?? null,
      },
      context,
    );
    if (outcome.kind === "next_lane") {
      anew.push(target);
      return [];
    }
    const { after, movesChildren, revivesChildren } = outcome;
    if (movesChildren && after.event !== null) {
      moves.push({ mapping: target.mapping, lane: before, event: after.event.id });
    }
    if (revivesChildren) back.push(after);
    return [{ before, after }];
  });
  await tx.saveLanes(decided);
  for (const { lane, event } of back) if (event !== null) await noteRestored(tx, lane, event.id);
  await noteBelow(tx, moves, services);
  if (anew.length === 0) return;
  const keys = anew.flatMap(({ restores }) => restores ?? []);
  const made = await tx.ensureLanes(keys);
  const following = anew.flatMap((target, index): Target[] => {
    const lane = made[index];
    if (lane === undefined) return [];
    return [{ ...target, lane, living: true, restores: null, revives: true }];
  });
  await admitTargets(tx, following, [], book, services);
}

/**
 * Reads the rows again after their lanes are locked. A row that was read before may be older than base, which a merge
 * has changed meanwhile: our own write would look like the app's.
 */
async function rowsByNow(
  tx: StoreTransaction,
  targets: readonly Target[],
): Promise<ReadonlyMap<Target, Row>> {
  const result = new Map<Target, Row>();
  const there = targets.filter(({ row }) => row !== null);
  for (const mapping of new Set(there.map((target) => target.mapping))) {
    const own = there.filter((target) => target.mapping === mapping);
    const ids = own.flatMap(({ changes }) => changes[0]?.recordId ?? []);
    const rows = await tx.records.read(mapping, [...new Set(ids)]);
    for (const target of own) {
      const row = rows.get(target.changes[0]?.recordId ?? "");
      if (row !== undefined) result.set(target, row);
    }
  }
  return result;
}

/**
 * The change that moved each record, by lane. If a lane has ended or was restored since its look-up, another worker
 * saw the record at another time: the transaction is retried.
 */
async function shiftsOf(
  tx: StoreTransaction,
  lanes: readonly Lane[],
  targets: readonly Target[],
  book: DirectorySnapshot,
): Promise<ReadonlyMap<LaneId, FieldChange | null>> {
  const result = new Map<LaneId, FieldChange | null>();
  for (const { lane: id, living, moved, mapping, row } of targets) {
    const lane = lanes.find((one) => one.id === id);
    if (lane === undefined) continue;
    if ((lane.tombstone === null) !== living) {
      throw new LaneMovedError(`lane ${id} has ended, or lives again, meanwhile`);
    }
    if (moved === null || row === null) continue;
    result.set(id, await shiftOf(tx, lane, moved, mapping, row, book));
  }
  return result;
}
