/**
 * Settling a move after the resource and its lane have moved: the record follows to the new scope, and the children to
 * their new ids (`engine/lifecycle/moved-children.ts`). A record that was created from the resource at its new
 * address, before the move was known, is a duplicate and is deleted.
 */
import {
  awaitRow,
  nextLookAt,
  PARENT_DEADLINE_MS,
  unsentOf,
} from "../../engine/processing/index.ts";
import { type Context, isArchivedByUs, withConflicts } from "../../engine/lane/index.ts";
import {
  awaitChildren,
  childrenOfMove,
  duplicatesAmong,
  moveChildren,
  forwardingChain,
  type MovedChildren,
  removeWith,
} from "../../engine/lifecycle/index.ts";
import { recordContent } from "../../engine/merge/index.ts";
import type { Conflict, FieldChange, TandemEvent } from "../../model/event.ts";
import type { LaneId } from "../../model/ids.ts";
import { addMillis } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { isSoftDeleted, type Mapping, type Row } from "../../model/mapping.ts";
import type { LaneAddress, Observation } from "../../model/observation.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import { keyText, lockVisible, recordWriter } from "../records/index.ts";
import type { DirectorySnapshot, Contact, ClaimedLane, Services } from "../services/index.ts";
import { mappingsBelow } from "../settings/index.ts";
import { save } from "../claims/index.ts";
import { findTrail, lanesBelow } from "./trail.ts";
import { noteMisplacedRows, removeYielding } from "./settle-children.ts";

/** A moved lane whose record and children must still follow. */
export interface MovingLane extends Pick<
  Lane,
  "id" | "connectionId" | "resourceType" | "recordType" | "externalId" | "recordId"
> {
  readonly moved: LaneAddress;
}

/** The resource's children, by their mapping. */
export type ArrivedChildren = ReadonlyMap<Mapping, readonly Observation[]>;

/** A moved resource with its children, as they were read at the new place. */
export interface MoveRead {
  readonly lane: MovingLane;
  readonly contact: Contact;
  readonly mapping: Mapping;
  readonly children: ArrivedChildren;
}

/** The lane if its record and children must still follow its resource; otherwise `null`. */
export function movingLane({ moved, ...lane }: Lane): MovingLane | null {
  return moved === null || lane.tombstone !== null ? null : { ...lane, moved };
}

/** Reads the children of a moved resource at its new place. */
export async function readMoved(
  services: Services,
  book: DirectorySnapshot,
  lane: MovingLane | null,
  signal: AbortSignal,
): Promise<MoveRead | null> {
  const contact = lane === null ? null : book.contact(lane.connectionId);
  const mapping = lane === null ? null : book.mapping(lane);
  if (lane === null || contact === null || mapping === null) return null;
  const client = services.gateway.container(contact);
  const parent = { type: lane.resourceType, externalId: lane.externalId ?? "" };
  const children = new Map<Mapping, readonly Observation[]>();
  for (const below of mappingsBelow(services, mapping)) {
    children.set(below, await client.children(parent, below.resource.type, signal));
  }
  return { lane, contact, mapping, children };
}

/** Every lane that the move concerns, to be locked in one ordered lock. */
export async function familyOf(
  tx: StoreTransaction,
  { lane, mapping: above }: MoveRead,
  services: Services,
): Promise<readonly LaneId[]> {
  const externalId = lane.externalId ?? "";
  const { places, lanes: behind } = await findTrail(tx, { ...lane, externalId });
  const here = { connection: lane.connectionId, externalId };
  const ids = behind.map(({ id }) => id);
  const records = new Set([lane, ...behind].flatMap(({ recordId }) => recordId ?? []));
  for (const mapping of mappingsBelow(services, above)) {
    const { type } = mapping.resource;
    const children = await lanesBelow(tx, [...places, here], mapping);
    ids.push(...children.map(({ id }) => id));
    // A record may have got another lane while its resource was out of reach.
    const rows = new Set(children.flatMap(({ recordId }) => recordId ?? []));
    for (const id of await tx.records.childrenOf(mapping, above, [...records])) rows.add(id);
    const lanes = await tx.findLanes({
      kind: "of_records",
      recordType: mapping.recordType,
      recordIds: [...rows],
    });
    ids.push(...lanes.flatMap((one) => (one.resourceType === type ? [one.id] : [])));
  }
  return [...new Set(ids)].filter((id) => id !== lane.id);
}

/** The lane and event after the move was followed, with the changes that this made. */
export interface SettledMove {
  readonly start: Transition;
  readonly event: TandemEvent;
}

/** Lets record and children follow; `null` if the event was postponed. */
export async function settleMove(
  tx: StoreTransaction,
  held: ClaimedLane & { readonly others: readonly Lane[] },
  arrived: ArrivedChildren,
  book: DirectorySnapshot,
  context: Context,
): Promise<SettledMove | null> {
  const { lane, event, start } = held;
  const { moved } = lane;
  if (moved === null) return { start, event };
  const behind = forwardingChain(lane, held.others);
  const families = [...arrived].map(([mapping, seen]) =>
    childrenOfMove(lane, behind, held.others, seen, { mapping, identity: context.identity }),
  );
  const deadline = event.deadline ?? addMillis(tx.now, PARENT_DEADLINE_MS);
  // A child without a record needs no wait: it is admitted at the new place like any other resource.
  const awaited = families.flatMap(({ missing }) =>
    missing.flatMap(({ recordId }) => recordId ?? []),
  );
  if (awaited.length > 0 && deadline > tx.now) {
    const next = nextLookAt(event, tx.now);
    const runAt = deadline < next ? deadline : next;
    await save(tx, held, awaitChildren(start, event, deadline, runAt, tx.now));
    return null;
  }
  const rows = await lockRows(tx, lane, behind, families, context.mapping);
  if (rows === "busy" || rows === "hidden") {
    await save(tx, held, awaitRow(rows, start, event, context));
    return null;
  }
  if (isGone(rows.own, lane, context)) await noteMissing(tx, held, context);
  const changes = await followScope(tx, held, rows.own, book, context);
  const followed = families.map((family) =>
    moveChildren(held, family, (one) => book.context(one, tx.now)),
  );
  const decided = followed.flatMap((each) => each.decided);
  const conflicts = await removeDoubles(tx, held, behind, families, rows, decided, book, context);
  await removeYielding(
    tx,
    followed.flatMap(({ yielding }) => yielding),
  );
  await tx.saveLanes(decided);
  await noteMisplacedRows(tx, held, families, context.mapping);
  const told: TandemEvent = {
    ...event,
    changes: [...event.changes, ...changes],
    conflicts: withConflicts(event, conflicts),
  };
  const live = lane.live.map((one) => (one.id === event.id ? told : one));
  return { start: { lane: { ...lane, live }, ended: start.ended }, event: told };
}

/** Whether the record is deleted, or archived by the app. */
function isGone(row: Row | null, lane: Lane, { mapping }: Context): boolean {
  return row === null || (isSoftDeleted(mapping, row) && !isArchivedByUs(lane, row, mapping));
}

/** Notes for the drain that the record was deleted while its resource was out of reach. */
async function noteMissing(
  tx: StoreTransaction,
  { lane: { recordType, recordId }, event }: ClaimedLane,
  { mapping: { scopeColumn } }: Context,
): Promise<void> {
  if (recordId === null || scopeColumn === null) return;
  await tx.changes.note([{ recordType, recordId, columns: [scopeColumn], origin: event.id }]);
}

/** Sets the record's scope to that of its resource's connection, unless the app moved the record. */
async function followScope(
  tx: StoreTransaction,
  { lane, event }: ClaimedLane,
  row: Row | null,
  book: DirectorySnapshot,
  { mapping }: Context,
): Promise<readonly FieldChange[]> {
  const { scopeColumn } = mapping;
  const from = book.contact(lane.moved?.connection ?? lane.connectionId)?.connection.scope;
  const to = book.contact(lane.connectionId)?.connection.scope;
  if (scopeColumn === null || row === null || lane.recordId === null) return [];
  if (from === undefined || to === undefined) return [];
  if (keyText(row[scopeColumn])[0] !== from) {
    // The app moved the record meanwhile. The drain left that undecided until now.
    const { recordType, recordId } = lane;
    await tx.changes.note([{ recordType, recordId, columns: [scopeColumn], origin: event.id }]);
    return [];
  }
  if (from === to) return [];
  const writer = recordWriter(tx, mapping, book.hooks(mapping), event, book.clock);
  await writer.update(lane.recordId, row, { [scopeColumn]: to });
  return [{ side: "record", field: scopeColumn, from, to }];
}

interface Rows {
  readonly own: Row | null;
  /** The rows of duplicates, by lane. */
  readonly doubles: ReadonlyMap<LaneId, Row>;
}

/** Locks all rows to write, unless the app has locked one or row security may hide one. */
async function lockRows(
  tx: StoreTransaction,
  lane: Lane,
  behind: readonly Lane[],
  families: readonly MovedChildren[],
  mapping: Mapping,
): Promise<Rows | "busy" | "hidden"> {
  const doubles = new Map<LaneId, Row>();
  let own: Row | null = null;
  const wanted = [
    { mapping, lane },
    ...behind.map((left) => ({ mapping, lane: left })),
    ...families.flatMap((family) =>
      duplicatesAmong(family).map((double) => ({ mapping: family.mapping, lane: double })),
    ),
  ];
  for (const { mapping: its, lane: one } of wanted) {
    if (one.recordId === null) continue;
    const locked = await lockVisible(tx, its, one.recordId);
    if (locked.status === "busy" || locked.status === "hidden") return locked.status;
    if (!("row" in locked)) continue;
    if (one === lane) own = locked.row;
    else doubles.set(one.id, locked.row);
  }
  return { own, doubles };
}

/**
 * Deletes the duplicate records of the resource and its children at their new place. Their unsent edits become
 * conflicts, and other rows below them move to the record that stays.
 */
async function removeDoubles(
  tx: StoreTransaction,
  { lane, event }: ClaimedLane,
  behind: readonly Lane[],
  families: readonly MovedChildren[],
  { doubles }: Rows,
  decided: Decided[],
  book: DirectorySnapshot,
  context: Context,
): Promise<readonly Conflict[]> {
  const conflicts: Conflict[] = [];
  const remove = async (double: Lane, mapping: Mapping) => {
    const row = doubles.get(double.id);
    if (row === undefined || double.recordId === null) return;
    const edits = unsentOf(double, recordContent(mapping, row), { ...context, mapping });
    for (const [field, lost] of Object.entries(edits)) {
      const kept = double.base?.[field] ?? null;
      conflicts.push({ field, winner: "resource", kept, lost, why: "record_deleted" });
    }
    const writer = recordWriter(tx, mapping, book.hooks(mapping), event, book.clock);
    await writer.delete(double.recordId, row);
    letGo(decided, double);
  };
  for (const family of families) {
    const { parent } = family.mapping;
    for (const double of duplicatesAmong(family)) await remove(double, family.mapping);
    if (parent === null || lane.recordId === null) continue;
    const above = behind.flatMap(({ recordId }) => (recordId === null ? [] : [recordId]));
    const rows = await tx.records.childrenOf(family.mapping, context.mapping, above);
    for (const id of rows) {
      const locked = await tx.records.lock(family.mapping, id);
      if (!("row" in locked)) continue;
      const writer = recordWriter(
        tx,
        family.mapping,
        book.hooks(family.mapping),
        event,
        book.clock,
      );
      await writer.update(id, locked.row, { [parent.column]: lane.recordId });
    }
  }
  for (const left of lane.recordId === null ? [] : behind) await remove(left, context.mapping);
  return conflicts;
}

/** Deletes the duplicate records of a resource that was deleted before its record followed it. */
export async function removeDoublesWith(
  tx: StoreTransaction,
  { lane, event }: ClaimedLane,
  book: DirectorySnapshot,
): Promise<void> {
  const { externalId, moved, tombstone } = lane;
  // Only the deletion that ended the pairing removes them.
  if (moved === null || externalId === null || tombstone?.event !== event.id) return;
  const { lanes } = await findTrail(tx, { ...lane, externalId });
  const behind = lanes.filter(({ recordId }) => recordId !== null).map(({ id }) => id);
  const decided = (await tx.lockLanes(behind)).map((before) => ({
    before,
    after: removeWith(before, event, book.context(before, tx.now)),
  }));
  await tx.saveLanes(decided);
}

/** Detaches the lane of a duplicate from its deleted record; its events stay. */
function letGo(decided: Decided[], lane: Lane): void {
  const index = decided.findIndex(({ before }) => before.id === lane.id);
  const known = decided[index];
  const after: Transition = known?.after ?? { lane, ended: [] };
  const freed = { ...after, lane: { ...after.lane, recordId: null, base: null } };
  if (known === undefined) decided.push({ before: lane, after: freed });
  else decided[index] = { before: known.before, after: freed };
}
