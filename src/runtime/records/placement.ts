/** The connections that records belong to now: by their scope, or by the lanes of their parent. */
import type { ParentState } from "../../engine/processing/index.ts";
import {
  connectionsAt,
  expectedIn,
  hasParentIn,
  isBelow,
  isMisplaced,
  leavingLanes,
  presentParents,
  takingBack,
  type RecordLocation,
  withEndedParents,
} from "../../engine/lifecycle/index.ts";
import type { FieldChange } from "../../model/event.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { isSoftDeleted, type Mapping, placingColumn, type Row } from "../../model/mapping.ts";
import type { RecordMove } from "../../model/tombstone.ts";
import type { FoundLane, StoreTransaction } from "../../store/store.ts";
import { type DirectorySnapshot, type ClaimedLane, mapBy } from "../services/index.ts";
import { keyText } from "./key-text.ts";
import { capturedAmong, enqueueSyntheticChanges, type UncapturedRecord } from "./note-change.ts";

export type LaneOfRecord = FoundLane<{ readonly kind: "of_records" }>;

export type LaneThatEnded = FoundLane<{ readonly kind: "ended_of_records" }>;

/**
 * The connections that records belong to. While a record or its parent follows a moved resource, it belongs to the
 * connection of its lane.
 *
 * @param existing The records' living lanes, which must be read before the rows. A move writes the scope and the lane
 *   in one transaction, so a row older than its lane would show the old scope.
 */
export async function whereaboutsOf(
  tx: StoreTransaction,
  mapping: Mapping,
  rows: ReadonlyMap<string, Row>,
  existing: readonly LaneOfRecord[],
  book: DirectorySnapshot,
): Promise<ReadonlyMap<string, RecordLocation>> {
  const { parent, scopeColumn } = mapping;
  if (parent !== null) return byParents(tx, mapping, parent, rows, existing, book);
  const result = new Map<string, RecordLocation>();
  if (scopeColumn === null) return result;
  for (const [recordId, row] of rows) {
    const [scope] = keyText(row[scopeColumn]);
    const isMoving = existing.some((lane) => lane.recordId === recordId && lane.moved !== null);
    const contacts = scope === undefined ? [] : book.ofScope(mapping.integration, scope);
    const connections = contacts.map(({ connection }) => connection.id);
    result.set(recordId, isMoving ? { kind: "unsettled" } : { kind: "by_scope", connections });
  }
  return result;
}

async function byParents(
  tx: StoreTransaction,
  mapping: Mapping,
  parent: NonNullable<Mapping["parent"]>,
  rows: ReadonlyMap<string, Row>,
  existing: readonly LaneOfRecord[],
  book: DirectorySnapshot,
): Promise<ReadonlyMap<string, RecordLocation>> {
  const { recordType, resource } = mapping;
  const parentIds = [...new Set([...rows.values()].flatMap((row) => keyText(row[parent.column])))];
  const isParent = ({ resourceType }: { readonly resourceType: string }) =>
    resourceType === resource.parent;
  const living = (
    await tx.findLanes({ kind: "of_records", recordType: parent.recordType, recordIds: parentIds })
  ).filter(isParent);
  const isAnyMoving = living.some(({ moved }) => moved !== null);
  const ended = isAnyMoving
    ? await tx.findLanes({ kind: "ended_of_records", recordType, recordIds: [...rows.keys()] })
    : [];
  const unpaired = parentIds.filter((id) => !living.some(({ recordId }) => recordId === id));
  const expected = await expectedParents(tx, mapping, unpaired, book);
  const parentOf = new Map([...rows].map(([id, row]) => [id, keyText(row[parent.column])[0]]));
  const present = new Map(
    [...parentOf].map(([recordId, parentId]) => {
      const isOwn = (lane: { readonly recordId: string }) => lane.recordId === recordId;
      const own = { living: existing.filter(isOwn), ended: ended.filter(isOwn) };
      const above = living.filter((lane) => lane.recordId === parentId);
      return [recordId, presentParents(above, expected.get(parentId ?? "") ?? [], own)];
    }),
  );
  // Parents rarely move away, so only records without a parent in their connection look up ended parents.
  const isAway = existing.some((lane) => !hasParentIn(lane, present.get(lane.recordId) ?? []));
  const over = isAway
    ? (
        await tx.findLanes({
          kind: "ended_of_records",
          recordType: parent.recordType,
          recordIds: parentIds,
        })
      ).filter(isParent)
    : [];
  return new Map(
    [...present].map(([recordId, parents]) => {
      const above = over.filter((lane) => lane.recordId === parentOf.get(recordId));
      return [recordId, { kind: "by_parent", parents: withEndedParents(parents, above) }];
    }),
  );
}

/** The connections in which parents without a living lane will get one, by the parent's key. */
async function expectedParents(
  tx: StoreTransaction,
  mapping: Mapping,
  parentIds: readonly string[],
  book: DirectorySnapshot,
): Promise<ReadonlyMap<string, readonly ConnectionId[]>> {
  const above = book.parentMapping(mapping);
  if (above === null || parentIds.length === 0) return new Map();
  const read = await tx.records.read(above, parentIds);
  const rows = new Map([...read].filter(([, row]) => !isSoftDeleted(above, row)));
  const where = await whereaboutsOf(tx, above, rows, [], book);
  const connected = [...where].filter(([, at]) => connectionsAt(at).length > 0);
  if (connected.length === 0) return new Map();
  const ids = connected.map(([id]) => id);
  const ended = mapBy(
    (
      await tx.findLanes({ kind: "ended_of_records", recordType: above.recordType, recordIds: ids })
    ).filter(({ resourceType }) => resourceType === above.resource.type),
    ({ recordId }) => recordId,
  );
  return new Map(
    connected.map(([id, at]) => [id, expectedIn(connectionsAt(at), ended.get(id) ?? [])]),
  );
}

/**
 * Lets the drain create the lanes that parents of records are expected to get, unless a captured write of the parent
 * exists already. A capture stays visible until the drain that takes it commits.
 */
export async function noteExpectedParents(
  tx: StoreTransaction,
  mapping: Mapping,
  rows: ReadonlyMap<string, Row>,
  where: ReadonlyMap<string, RecordLocation>,
  book: DirectorySnapshot,
): Promise<void> {
  const above = book.parentMapping(mapping);
  if (above === null || mapping.parent === null) return;
  const { column } = mapping.parent;
  const ids = [...rows].flatMap(([recordId, row]) => {
    const at = where.get(recordId);
    const isExpected =
      at?.kind === "by_parent" && at.parents.some(({ standing }) => standing === "expected");
    return isExpected && !isSoftDeleted(mapping, row) ? keyText(row[column]) : [];
  });
  if (ids.length === 0) return;
  const { recordType } = above;
  const captured = await capturedAmong(tx, recordType, ids);
  const uncaptured = [...new Set(ids)].filter((id) => !captured.has(id));
  if (uncaptured.length === 0) return;
  // A drain that committed before captures were read here has made its lanes visible.
  const lanes = await tx.findLanes({ kind: "of_records", recordType, recordIds: uncaptured });
  const paired = new Set(
    lanes.flatMap((lane) => (lane.resourceType === above.resource.type ? lane.recordId : [])),
  );
  const untold = uncaptured.filter((recordId) => !paired.has(recordId));
  await noteMoved(
    tx,
    untold.map((recordId) => ({ recordType, recordId, mapping: above })),
  );
}

/** The lanes that records of the mapping have left, with the destination. */
export function lanesLeft(
  mapping: Mapping,
  rows: ReadonlyMap<string, Row>,
  existing: readonly (LaneOfRecord | LaneThatEnded)[],
  where: ReadonlyMap<string, RecordLocation>,
  book: DirectorySnapshot,
): ReadonlyMap<LaneId, RecordMove> {
  const result = new Map<LaneId, RecordMove>();
  for (const recordId of rows.keys()) {
    const own = existing.filter(
      (lane) => lane.recordId === recordId && book.mapping(lane) === mapping,
    );
    for (const [lane, move] of leavingLanes(own, where.get(recordId) ?? { kind: "unsettled" })) {
      result.set(lane, move);
    }
  }
  return result;
}

/**
 * Lets the drain decide again if an event contradicts its record's present connection; `false` if it does not. The
 * deletion of a lane that another lane has followed here is no contradiction.
 */
export async function lookAgain(
  tx: StoreTransaction,
  { lane, event }: Pick<ClaimedLane, "lane" | "event">,
  row: Row | null,
  parent: ParentState,
  mapping: Mapping,
  book: DirectorySnapshot,
): Promise<boolean> {
  const { recordType, recordId } = lane;
  const isAlone =
    parent !== null && typeof parent === "object" && "ended" in parent && parent.moved;
  const isHere = isAlone ? false : await belongsHere(tx, { lane, event }, row, mapping, book);
  if (!isMisplaced(lane, event, isHere)) return false;
  if (event.action === "delete" && (await isSucceeded(tx, lane))) return false;
  await noteMoved(tx, [{ recordType, recordId, mapping }]);
  return true;
}

/**
 * Whether a record belongs to its lane's connection, by its scope or by its parent's lanes; `null` if that cannot be
 * told, or if it makes no difference to a child's event.
 */
async function belongsHere(
  tx: StoreTransaction,
  { lane, event }: Pick<ClaimedLane, "lane" | "event">,
  row: Row | null,
  mapping: Mapping,
  book: DirectorySnapshot,
): Promise<boolean | null> {
  const { connectionId, recordType, recordId } = lane;
  const { scopeColumn, parent } = mapping;
  if (row === null || isSoftDeleted(mapping, row)) return null;
  if (parent !== null) {
    // The answer matters to few events of a child, so the others skip the queries.
    const isRisky = [true, false].some((isHere) => isMisplaced(lane, event, isHere));
    if (recordId === null || !isRisky) return null;
    const existing = await tx.findLanes({ kind: "of_records", recordType, recordIds: [recordId] });
    const where = await whereaboutsOf(tx, mapping, new Map([[recordId, row]]), existing, book);
    return isBelow(connectionId, where.get(recordId));
  }
  if (scopeColumn === null) return null;
  return keyText(row[scopeColumn])[0] === book.contact(connectionId)?.connection.scope;
}

/** The change of the column that moved a record; `null` if its parent was moved. */
export async function shiftOf(
  tx: StoreTransaction,
  { connectionId, parent: above }: Lane,
  move: RecordMove,
  { parent, scopeColumn }: Mapping,
  row: Row,
  book: DirectorySnapshot,
): Promise<FieldChange | null> {
  const field = parent?.column ?? scopeColumn;
  if (move === "with_parent" || field === null) return null;
  const to = keyText(row[field])[0] ?? null;
  if (parent === null) {
    const from = book.contact(connectionId)?.connection.scope ?? null;
    return { side: "record", field, from, to };
  }
  const [was] =
    above === null
      ? []
      : await tx.findLanes({
          kind: "of_resources",
          connectionId,
          resourceType: above.type,
          externalIds: [above.externalId],
        });
  return { side: "record", field, from: was?.recordId ?? null, to };
}

/** Lets the drain decide where records belong, as if their scope or parent column had been written now. */
export async function noteMoved(
  tx: StoreTransaction,
  records: readonly UncapturedRecord[],
): Promise<void> {
  await enqueueSyntheticChanges(tx, records, (mapping) => {
    const column = placingColumn(mapping);
    return column === null ? null : [column];
  });
}

/** Whether the record of an ended lane has another living lane in the same connection by now. */
export async function hasMovedOn(tx: StoreTransaction, lane: Lane): Promise<boolean> {
  const living = await livingOf(tx, lane);
  return living.some(({ connectionId }) => connectionId === lane.connectionId);
}

/** Whether another lane followed this ended one, living or ended later: then no write restores this one. */
export async function isSucceeded(tx: StoreTransaction, lane: Lane): Promise<boolean> {
  const { connectionId, resourceType, recordType, recordId } = lane;
  if (recordId === null) return false;
  const living = await livingOf(tx, lane);
  if (living.some((one) => one.connectionId === connectionId)) return true;
  const ended = await tx.findLanes({ kind: "ended_of_records", recordType, recordIds: [recordId] });
  const ofType = ended.filter((one) => one.resourceType === resourceType);
  return takingBack(ofType, living.length > 0, connectionId)?.id !== lane.id;
}

/** The living lanes of the lane's record in any connection. */
async function livingOf(
  tx: StoreTransaction,
  { resourceType, recordType, recordId }: Lane,
): Promise<readonly LaneOfRecord[]> {
  if (recordId === null) return [];
  const living = await tx.findLanes({ kind: "of_records", recordType, recordIds: [recordId] });
  return living.filter((one) => one.resourceType === resourceType);
}
