/**
 * The drain: captured local writes become outbound events, one per lane and batch. It consumes
 * what it reads, and reads the records as they are now: a burst of edits is one event.
 */
import { unsentOf } from "../engine/inbound.ts";
import type { Admission } from "../engine/admit.ts";
import {
  admitChange,
  admitOrphan,
  admitRestore,
  canRestore,
  type RecordChange,
} from "../engine/record-change.ts";
import { recordContent } from "../engine/translate-record.ts";
import type { Content } from "../model/content.ts";
import type { ConnectionId, LaneId } from "../model/ids.ts";
import { type Instant, laterOf } from "../model/instant.ts";
import type { Lane } from "../model/lane.ts";
import { type Mapping, mappedColumns, type Row } from "../model/mapping.ts";
import type { CapturedChange, Decided, LaneKey, StoreTransaction } from "../store/store.ts";
import { AddressBook } from "./address-book.ts";
import { journalOf } from "./journal.ts";
import { followUsers } from "./follow-links.ts";
import { keyText } from "./key-text.ts";
import { followRestored, noteRestored } from "./restored-children.ts";
import type { Services } from "./services.ts";

const BATCH = 500;

/** Drains one batch; returns how many captured writes it consumed. */
export async function drainChanges(services: Services): Promise<number> {
  const book = await AddressBook.open(services);
  return services.store.transaction(async (tx) => {
    const changes = await tx.changes.take(BATCH);
    const targets: Target[] = [];
    // Parents come first: a child's connection is found through its parent's lane.
    const ordered = [...services.mappings].sort((a, b) => depth(a) - depth(b));
    for (const mapping of ordered) {
      const own = changes.filter((change) => concerns(change, mapping));
      if (own.length > 0) targets.push(...(await targetsOf(tx, mapping, own, book)));
    }
    const orphans = await followRestored(tx, changes, services);
    await admitTargets(tx, targets, orphans, book);
    await followUsers(tx, changes, services);
    await tx.appendJournal(journalOf(services, changes, tx.now));
    return changes.length;
  });
}

/** A journal, or another mapping, may watch columns that are nothing to this one. */
function concerns({ recordType, operation, columns }: CapturedChange, mapping: Mapping): boolean {
  if (recordType !== mapping.recordType) return false;
  const watched = mappedColumns(mapping);
  return operation !== "update" || columns.some((column) => watched.includes(column));
}

/** A lane that a record's writes concern. */
interface Target {
  readonly lane: LaneId;
  readonly mapping: Mapping;
  /** The record of a lane that ended with it is here again: the key of the lane that follows. */
  readonly restores: LaneKey | null;
  /** The lane follows one that has ended, so that its children may have met its end. */
  readonly revives: boolean;
  readonly row: Row | null;
  readonly changes: readonly CapturedChange[];
}

function depth(mapping: Mapping): number {
  return mapping.parent === null ? 0 : 1;
}

async function targetsOf(
  tx: StoreTransaction,
  mapping: Mapping,
  changes: readonly CapturedChange[],
  book: AddressBook,
): Promise<readonly Target[]> {
  const ids = [...new Set(changes.map((change) => change.recordId))];
  const rows = await tx.records.read(mapping, ids);
  const existing = await tx.findLanesByRecord(mapping.recordType, ids);
  const lanes = new Map<string, Set<LaneId>>();
  for (const lane of existing) {
    if (lane.resourceType !== mapping.resource.type) continue;
    if (book.mapping(lane) !== mapping) continue;
    lanes.set(lane.recordId, (lanes.get(lane.recordId) ?? new Set()).add(lane.id));
  }
  const wanted = await connectionsOf(tx, mapping, rows, existing, book);
  const ended = await tx.findTombstonedLanes(mapping.recordType, ids);
  const restores = new Map<LaneId, LaneKey>();
  const revivals = new Set<LaneKey>();
  const keys = ids.flatMap((recordId) => {
    const row = rows.get(recordId);
    if (row === undefined) {
      // Its resource was deleted before: nothing follows, but what was unsent of it is told.
      const kept = ended.findLast(
        ({ side, ...lane }) =>
          side === "resource" &&
          lane.recordId === recordId &&
          lane.resourceType === mapping.resource.type,
      );
      const isLiving = existing.some((lane) => lane.recordId === recordId);
      if (kept !== undefined && !isLiving) lanes.set(recordId, new Set([kept.id]));
      return [];
    }
    if (isSoftDeleted(mapping, row)) return [];
    const own = changes.filter((change) => change.recordId === recordId);
    return (wanted.get(recordId) ?? []).flatMap((connectionId) => {
      const key = {
        connectionId,
        resourceType: mapping.resource.type,
        recordType: mapping.recordType,
        externalId: null,
        recordId,
      };
      const living = existing.some((lane) => isLaneOf(lane, key));
      const last = ended.findLast((lane) => isLaneOf(lane, key));
      if (living || last === undefined) return [key];
      if (last.side === "record") restores.set(last.id, key);
      else if (isRevival(mapping, own)) {
        revivals.add(key);
        return [key];
      }
      // It was deleted: what is written to it later must not make another resource by itself.
      lanes.set(recordId, (lanes.get(recordId) ?? new Set()).add(last.id));
      return [];
    });
  });
  const ensured = await tx.ensureLanes(keys);
  const revived = new Set<LaneId>();
  keys.forEach((key, index) => {
    const { recordId } = key;
    const lane = ensured[index];
    if (lane === undefined) return;
    lanes.set(recordId, (lanes.get(recordId) ?? new Set()).add(lane));
    if (revivals.has(key)) revived.add(lane);
  });
  return ids.flatMap((recordId) =>
    [...(lanes.get(recordId) ?? [])].map((lane) => ({
      lane,
      mapping,
      restores: restores.get(lane) ?? null,
      revives: revived.has(lane),
      row: rows.get(recordId) ?? null,
      changes: changes.filter((change) => change.recordId === recordId),
    })),
  );
}

function isLaneOf(
  lane: Pick<LaneKey, "connectionId" | "resourceType" | "recordId">,
  key: LaneKey,
): boolean {
  return (
    lane.connectionId === key.connectionId &&
    lane.resourceType === key.resourceType &&
    lane.recordId === key.recordId
  );
}

/** Whether the app made the record anew, or took back its deletion. */
function isRevival({ softDelete }: Mapping, changes: readonly CapturedChange[]): boolean {
  return changes.some(
    ({ origin, operation, columns }) =>
      origin === null &&
      (operation === "insert" || (softDelete !== null && columns.includes(softDelete))),
  );
}

type LaneOfRecord = Awaited<ReturnType<StoreTransaction["findLanesByRecord"]>>[number];

/**
 * The connections that a record belongs to: by its scope, or by where its parent is paired. While it
 * follows a resource that was moved, or its parent does, it is where its lane is.
 */
async function connectionsOf(
  tx: StoreTransaction,
  mapping: Mapping,
  rows: ReadonlyMap<string, Row>,
  existing: readonly LaneOfRecord[],
  book: AddressBook,
): Promise<ReadonlyMap<string, readonly ConnectionId[]>> {
  const result = new Map<string, ConnectionId[]>();
  const { parent, scopeColumn } = mapping;
  if (parent === null) {
    for (const [recordId, row] of rows) {
      const [scope] = scopeColumn === null ? [] : keyText(row[scopeColumn]);
      if (scope === undefined) continue;
      const isMoving = existing.some(
        (lane) => lane.recordId === recordId && lane.movedFrom !== null,
      );
      if (isMoving) continue;
      const contacts = book.ofScope(mapping.integration, scope);
      result.set(
        recordId,
        contacts.map(({ connection }) => connection.id),
      );
    }
    return result;
  }
  const parentIds = new Set([...rows.values()].flatMap((row) => keyText(row[parent.column])));
  const parents = await tx.findLanesByRecord(parent.recordType, [...parentIds]);
  for (const [recordId, row] of rows) {
    const [parentId] = keyText(row[parent.column]);
    const connections = parents
      .filter((lane) => lane.recordId === parentId)
      .filter((lane) => lane.resourceType === mapping.resource.parent)
      .filter(
        ({ movedFrom }) =>
          !existing.some((lane) => lane.recordId === recordId && lane.connectionId === movedFrom),
      )
      .map((lane) => lane.connectionId);
    result.set(recordId, connections);
  }
  return result;
}

async function admitTargets(
  tx: StoreTransaction,
  targets: readonly Target[],
  orphans: readonly LaneId[],
  book: AddressBook,
): Promise<void> {
  const ids = new Set([...targets.map((target) => target.lane), ...orphans]);
  const lanes = await tx.lockLanes([...ids]);
  const anew: Target[] = [];
  const back: Admission[] = [];
  const decided = lanes.flatMap((before): Decided[] => {
    const target = targets.find((candidate) => candidate.lane === before.id);
    const context = book.context(before, tx.now);
    if (target === undefined) return [{ before, after: admitOrphan(before, context) }];
    const change = foldChanges(before, target, context);
    if (target.restores === null || before.tombstone === null) {
      const after = admitChange(before, change, context);
      if (target.revives) back.push(after);
      return [{ before, after }];
    }
    if (canRestore(before, context)) {
      const after = admitRestore(before, change, context);
      // Where there is a resource, the look at it comes first.
      if (before.externalId === null) back.push(after);
      return [{ before, after }];
    }
    anew.push(target);
    return [];
  });
  await tx.saveLanes(decided);
  for (const { lane, event } of back) if (event !== null) await noteRestored(tx, lane, event.id);
  if (anew.length === 0) return;
  const keys = anew.flatMap(({ restores }) => restores ?? []);
  const made = await tx.ensureLanes(keys);
  const following = anew.flatMap((target, index): Target[] => {
    const lane = made[index];
    return lane === undefined ? [] : [{ ...target, lane, restores: null, revives: true }];
  });
  await admitTargets(tx, following, [], book);
}

function foldChanges(
  lane: Lane,
  { mapping, row, changes }: Target,
  context: Parameters<typeof admitChange>[2],
): RecordChange {
  const gone = row === null || isSoftDeleted(mapping, row);
  const content = row === null ? null : contentOrNull(mapping, row);
  const differing =
    content === null || lane.base === null
      ? null
      : new Set(Object.keys(unsentOf(lane, content, context)));
  const marked = changes.every((change) => change.origin !== null);
  const before = changes.findLast((change) => change.oldRow !== null)?.oldRow ?? null;
  return {
    action: gone ? "delete" : "upsert",
    changedAt: changeTimes(mapping, changes, differing),
    ours: marked && !gone && differing !== null && !touches(mapping, changes, differing),
    deleted: gone && before !== null ? contentOrNull(mapping, before) : content,
  };
}

/** Whether the writes changed a field that differs from base: then somebody else had a hand in it. */
function touches(
  mapping: Mapping,
  changes: readonly CapturedChange[],
  differing: ReadonlySet<string>,
): boolean {
  return mapping.fields.some(
    ({ column, field }) =>
      differing.has(field) && changes.some(({ columns }) => columns.includes(column)),
  );
}

/**
 * When each column was changed by somebody else than Tandem. Under our own origin that is only
 * where the row does not say what we wrote: an app's trigger answered our write.
 */
export function changeTimes(
  mapping: Mapping,
  changes: readonly CapturedChange[],
  differing: ReadonlySet<string> | null,
): Readonly<Record<string, Instant>> {
  const times: Record<string, Instant> = {};
  for (const { columns, changedAt, origin } of changes) {
    for (const { column, field } of mapping.fields) {
      if (!columns.includes(column)) continue;
      if (origin !== null && differing?.has(field) !== true) continue;
      const latest = laterOf(times[column] ?? null, changedAt);
      if (latest !== null) times[column] = latest;
    }
  }
  return times;
}

/** Whether the app marked the record as deleted. */
export function isSoftDeleted(mapping: Mapping, row: Row): boolean {
  const value = mapping.softDelete === null ? null : row[mapping.softDelete];
  return value !== null && value !== undefined;
}

/** A mapping that throws must not stop the drain: the event's own attempt will say so. */
function contentOrNull(mapping: Mapping, row: Row): Content | null {
  try {
    return recordContent(mapping, row);
  } catch {
    return null;
  }
}
