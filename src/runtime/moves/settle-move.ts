/**
 * After a resource was moved and its lane with it: the record follows to the other scope, and what
 * belongs to the resource to its new ids (`settle-children.ts`). A record that was made of it at its new place, before
 * anybody knew of the move, is a double and goes.
 */
import {
  awaitRow,
  nextLookAt,
  PARENT_DEADLINE_MS,
  unsentOf,
} from "../../engine/processing/index.ts";
import { type Context, isArchivedByUs, withConflicts } from "../../engine/lane/index.ts";
import { awaitChildren, forwardingChain, removeWith } from "../../engine/lifecycle/index.ts";
import { recordContent } from "../../engine/merge/index.ts";
import type { Conflict, FieldChange, TandemEvent } from "../../model/event.ts";
import type { LaneId } from "../../model/ids.ts";
import { addMillis } from "../../model/instant.ts";
import type { FormerPlace, Lane, Transition } from "../../model/lane.ts";
import type { Mapping, Row } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import { isSoftDeleted, keyText, lockVisible, recordWriter } from "../records/index.ts";
import type { AddressBook, Contact, Held, Services } from "../services/index.ts";
import { save } from "../claims/index.ts";
import { findTrail } from "./trail.ts";
import {
  doublesOf,
  type Family,
  familyBelow,
  followAll,
  noteStrays,
  yieldPlaces,
} from "./settle-children.ts";

/** A lane on its way, as it was when its event was begun. */
export interface MovingLane extends Pick<
  Lane,
  "id" | "connectionId" | "resourceType" | "recordType" | "externalId" | "recordId"
> {
  readonly moved: FormerPlace;
}

/** What belongs to the resource, by the mappings of its types. */
export type ArrivedChildren = ReadonlyMap<Mapping, readonly Observation[]>;

/** A moved resource with all that belongs to it, as it was read at its new place. */
export interface MoveRead {
  readonly lane: MovingLane;
  readonly contact: Contact;
  readonly children: ArrivedChildren;
}

/** The lane, where record and children are still to follow its resource. */
export function movingLane({ moved, ...lane }: Lane): MovingLane | null {
  return moved === null || lane.tombstone !== null ? null : { ...lane, moved };
}

/** Reads all that belongs to a moved resource where it is now. */
export async function readMoved(
  services: Services,
  book: AddressBook,
  lane: MovingLane | null,
  signal: AbortSignal,
): Promise<MoveRead | null> {
  const contact = lane === null ? null : book.contact(lane.connectionId);
  if (lane === null || contact === null) return null;
  const client = services.gateway.container(contact);
  const parent = { type: lane.resourceType, externalId: lane.externalId ?? "" };
  const children = new Map<Mapping, readonly Observation[]>();
  for (const mapping of mappingsBelow(lane, contact, services)) {
    children.set(mapping, await client.children(parent, mapping.resource.type, signal));
  }
  return { lane, contact, children };
}

/** Every lane that has to do with the move, to be locked together. */
export async function familyOf(
  tx: StoreTransaction,
  lane: MovingLane,
  contact: Contact,
  book: AddressBook,
  services: Services,
): Promise<readonly LaneId[]> {
  const externalId = lane.externalId ?? "";
  const { places, lanes: behind } = await findTrail(tx, { ...lane, externalId });
  const here = { connection: lane.connectionId, externalId };
  const ids = behind.map(({ id }) => id);
  const records = new Set([lane, ...behind].flatMap(({ recordId }) => recordId ?? []));
  const above = book.mapping(lane);
  for (const mapping of mappingsBelow(lane, contact, services)) {
    const { type } = mapping.resource;
    const children: Awaited<ReturnType<StoreTransaction["findChildLanes"]>>[number][] = [];
    for (const place of [...places, here]) {
      children.push(...(await tx.findChildLanes(place.connection, type, place.externalId)));
    }
    ids.push(...children.map(({ id }) => id));
    // A record may have got another lane while its resource was out of reach.
    const rows = new Set(children.flatMap(({ recordId }) => recordId ?? []));
    if (above !== null) {
      for (const id of await tx.records.childrenOf(mapping, above, [...records])) rows.add(id);
    }
    const lanes = await tx.findLanesByRecord(mapping.recordType, [...rows]);
    ids.push(...lanes.flatMap((one) => (one.resourceType === type ? [one.id] : [])));
  }
  return [...new Set(ids)].filter((id) => id !== lane.id);
}

/** What following a move did, to be told by the event that carries it on. */
export interface SettledMove {
  readonly start: Transition;
  readonly event: TandemEvent;
}

/** Lets record and children follow; `null` where the event went back to wait for somebody. */
export async function settleMove(
  tx: StoreTransaction,
  held: Held & { readonly others: readonly Lane[] },
  arrived: ArrivedChildren,
  book: AddressBook,
  context: Context,
): Promise<SettledMove | null> {
  const { lane, event, start } = held;
  const { moved } = lane;
  if (moved === null) return { start, event };
  const behind = forwardingChain(lane, held.others);
  const families = [...arrived].map(([mapping, seen]) =>
    familyBelow(lane, behind, held, mapping, seen, context.identity),
  );
  const deadline = event.deadline ?? addMillis(tx.now, PARENT_DEADLINE_MS);
  // One that has no record yet is told of at the new place like any other.
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
  const followed = families.map((family) => followAll(held, family, book, tx.now));
  const decided = followed.flatMap((each) => each.decided);
  const conflicts = await removeDoubles(tx, held, behind, families, rows, decided, book, context);
  await yieldPlaces(
    tx,
    followed.flatMap(({ yielding }) => yielding),
  );
  await tx.saveLanes(decided);
  await noteStrays(tx, held, families, context.mapping);
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

/** The record was deleted while its resource was out of reach: the drain finds that nobody told the lane. */
async function noteMissing(
  tx: StoreTransaction,
  { lane: { recordType, recordId }, event }: Held,
  { mapping: { scopeColumn } }: Context,
): Promise<void> {
  if (recordId === null || scopeColumn === null) return;
  await tx.changes.note([{ recordType, recordId, columns: [scopeColumn], origin: event.id }]);
}

/** The record's scope becomes that of the connection its resource is in, unless the app moved it. */
async function followScope(
  tx: StoreTransaction,
  { lane, event }: Held,
  row: Row | null,
  book: AddressBook,
  { mapping }: Context,
): Promise<readonly FieldChange[]> {
  const { scopeColumn } = mapping;
  const from = book.contact(lane.moved?.connection ?? lane.connectionId)?.connection.scope;
  const to = book.contact(lane.connectionId)?.connection.scope;
  if (scopeColumn === null || row === null || lane.recordId === null) return [];
  if (from === undefined || to === undefined) return [];
  if (keyText(row[scopeColumn])[0] !== from) {
    // The app moved the record meanwhile, to there or elsewhere: the drain left that for now.
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
  /** Rows of doubles, by lane. */
  readonly doubles: ReadonlyMap<LaneId, Row>;
}

/** Locks all rows that are written, unless the app holds one, or one may only be hidden from us. */
async function lockRows(
  tx: StoreTransaction,
  lane: Lane,
  behind: readonly Lane[],
  families: readonly Family[],
  mapping: Mapping,
): Promise<Rows | "busy" | "hidden"> {
  const doubles = new Map<LaneId, Row>();
  let own: Row | null = null;
  const wanted = [
    { mapping, lane },
    ...behind.map((left) => ({ mapping, lane: left })),
    ...families.flatMap((family) =>
      doublesOf(family).map((double) => ({ mapping: family.mapping, lane: double })),
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
 * Removes the records that were made of the resource and its children at their new place. What was
 * edited in one and not sent is told; other rows below it go to the record that stays.
 */
async function removeDoubles(
  tx: StoreTransaction,
  { lane, event }: Held,
  behind: readonly Lane[],
  families: readonly Family[],
  { doubles }: Rows,
  decided: Decided[],
  book: AddressBook,
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
    for (const double of doublesOf(family)) await remove(double, family.mapping);
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

/** The resource was deleted before its record followed it: what was made of it where it went is deleted, too. */
export async function removeDoublesWith(
  tx: StoreTransaction,
  { lane, event }: Held,
  book: AddressBook,
): Promise<void> {
  const { externalId, moved, tombstone } = lane;
  // One that was left behind has ended by the move.
  if (moved === null || externalId === null || tombstone?.event !== event.id) return;
  const { lanes } = await findTrail(tx, { ...lane, externalId });
  const behind = lanes.filter(({ recordId }) => recordId !== null).map(({ id }) => id);
  const decided = (await tx.lockLanes(behind)).map((before) => ({
    before,
    after: removeWith(before, event, book.context(before, tx.now)),
  }));
  await tx.saveLanes(decided);
}

/** The lane of a double keeps its story and lets go of the record. */
function letGo(decided: Decided[], lane: Lane): void {
  const index = decided.findIndex(({ before }) => before.id === lane.id);
  const known = decided[index];
  const after: Transition = known?.after ?? { lane, ended: [] };
  const freed = { ...after, lane: { ...after.lane, recordId: null, base: null } };
  if (known === undefined) decided.push({ before: lane, after: freed });
  else decided[index] = { before: known.before, after: freed };
}

function mappingsBelow(
  { resourceType, recordType }: Pick<Lane, "resourceType" | "recordType">,
  { connection }: Contact,
  { mappings }: Services,
): readonly Mapping[] {
  return mappings.filter(
    ({ integration, resource, parent }) =>
      integration === connection.integration &&
      resource.parent === resourceType &&
      parent?.recordType === recordType,
  );
}
