/**
 * Resources that are moved to another container: their lanes move with them, or end if no connection covers it. A move
 * is reported by webhooks of either container, or by a read that was redirected. It is followed once, however often
 * it is reported.
 */
import { writtenByUs } from "../../engine/creates/index.ts";
import {
  departLane,
  type MoveNews,
  placeText,
  routeDepartures,
  takesRecordsPlace,
} from "../../engine/lifecycle/index.ts";
import { hasEndedBefore } from "../../engine/lane/index.ts";
import type { ConnectionId } from "../../model/ids.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { ResourceMove } from "../../model/observation.ts";
import { isEndedByRecord, isEndedByResource, recordMoveOf } from "../../model/tombstone.ts";
import type { Decided } from "../../model/lane.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Contact, DirectorySnapshot, Services } from "../services/index.ts";
import { mappingOfResource } from "../settings/index.ts";
import {
  admitArrivals,
  identifyArrivals,
  type Incoming,
  LaneMovedError,
} from "../admission/index.ts";
import { expectNobody, goneOn, noteOrigin } from "./disconnected.ts";
import { connectionsReached, type Leaving, placesFor, withRecordLanes } from "./move-routes.ts";
import { childrenAlong, childrenPutElsewhere, leaveAlong } from "./stranded-children.ts";

/** A move with how it became known. */
export interface KnownMove extends Pick<MoveNews, "source" | "deliveryId"> {
  readonly integration: string;
  readonly move: ResourceMove;
}

/** Follows a move; returns `false` if no connection covers either of its containers. */
export async function followMove(
  tx: StoreTransaction,
  told: KnownMove,
  book: DirectorySnapshot,
  services: Services,
): Promise<boolean> {
  const { integration, move: first } = told;
  const mapping = mappingOfResource(services, integration, first.type);
  const from = book.ofContainer(integration, first.from.containerId);
  const near = book.ofContainer(integration, first.to.containerId);
  if (mapping === null || from.length + near.length === 0) return false;
  const further = near.length > 0 ? null : await goneOn(tx, integration, first, book);
  const move = further ?? first;
  const to = further === null ? near : book.ofContainer(integration, move.to.containerId);
  const known: KnownMove = { ...told, move };
  const leaving = await whoLeaves(tx, known, from, mapping, book, services);
  const going = leaving.filter(({ gone }) => !gone);
  const reached = await connectionsReached(tx, to, move);
  const { route, leftBehind } = routeDepartures(await withRecordLanes(tx, going), reached, move);
  const placeOf = await placesFor(tx, route, move, mapping);
  // Children of a deleted record are not read until the app restores it, so they leave as well. Children of a record
  // that the app moved away follow their record.
  const stranded = going.filter(({ lane, ended, left }) => !left && (ended || !route.has(lane)));
  const left = going.filter((one) => one.left);
  const lookBelow = async () => [
    ...(await childrenAlong(tx, stranded, mapping, services)),
    ...(await childrenPutElsewhere(tx, left, mapping, services)),
  ];
  const children = await lookBelow();
  const held = new Map(
    (
      await tx.lockLanes([
        ...new Set([...leaving.map(({ lane }) => lane), ...placeOf.values(), ...children]),
      ])
    ).map((lane) => [lane.id, lane]),
  );
  // A child that was added between the look-up and the locks would stay paired at the old address.
  const missed = (await lookBelow()).find((id) => !held.has(id));
  if (missed !== undefined) throw new LaneMovedError(`lane ${missed} came below it meanwhile`);
  const { source, deliveryId } = known;
  const decided: Decided[] = [];
  for (const { lane: id, connectionId, externalId, gone } of leaving) {
    const lane = held.get(id);
    if (lane?.connectionId !== connectionId || lane.externalId !== externalId) {
      throw new LaneMovedError(`lane ${id} has gone elsewhere meanwhile`);
    }
    const there = held.get(placeOf.get(id) ?? id) ?? null;
    if (takesRecordsPlace(lane, there)) {
      throw new LaneMovedError(`lane ${id} has found a record at its new place`);
    }
    const context = book.context(lane, tx.now);
    const place = there && { lane: there, context: book.context(there, tx.now) };
    const departure = { lane, context, gone, place, leavesRecord: leftBehind.has(id) };
    decided.push(...departLane(departure, move, { source, deliveryId }));
  }
  const stranding = children.flatMap((id) => held.get(id) ?? []);
  decided.push(...leaveAlong(stranding, move.to, { source, deliveryId }, book, tx.now));
  if (to.length === 0) {
    const hasCome = async () => (await goneOn(tx, integration, move, book)) !== null;
    await expectNobody(tx, move.type, placeText(move.to), hasCome);
  }
  await tx.saveLanes(decided);
  const isUnheardOf = from.length + leaving.length === 0;
  const incoming = await whoArrives(tx, known, to, new Set(route.values()));
  if (incoming.length > 0) await admitArrivals(tx, incoming, book, services);
  if (isUnheardOf) {
    await noteOrigin(tx, move, to);
    const hasGone = async () => (await departuresOf(tx, move, from, book)).length > 0;
    await expectNobody(tx, move.type, placeText(move.from), hasGone);
  }
  return true;
}

/** The lanes that a resource leaves. If it was not observed yet, the lane of the create that made it counts. */
async function whoLeaves(
  tx: StoreTransaction,
  known: KnownMove,
  from: readonly Contact[],
  mapping: Mapping,
  book: DirectorySnapshot,
  services: Services,
): Promise<readonly Leaving[]> {
  const { move } = known;
  const told = await departuresOf(tx, move, from, book);
  if (told.length > 0) return told;
  const isMade = await adoptMade(tx, known, from, mapping, book, services);
  return isMade ? departuresOf(tx, move, from, book) : unheardOf(tx, move, from, mapping);
}

/** The lanes of the resource at its old address, and those that ended when it moved out of reach to that address. */
async function departuresOf(
  tx: StoreTransaction,
  { type, from }: ResourceMove,
  contacts: readonly Contact[],
  book: DirectorySnapshot,
): Promise<readonly Leaving[]> {
  const result: Leaving[] = [];
  for (const { connection } of contacts) {
    const found = await tx.findLanes({
      kind: "of_resources",
      connectionId: connection.id,
      resourceType: type,
      externalIds: [from.externalId],
    });
    const recordType = book.mapping({
      connectionId: connection.id,
      resourceType: type,
    })?.recordType;
    for (const { id, recordId, tombstone, moved } of found) {
      result.push({
        lane: id,
        scope: connection.scope,
        connectionId: connection.id,
        externalId: from.externalId,
        recordType: recordType ?? "",
        recordId,
        gone: isEndedByResource(tombstone),
        ended: isEndedByRecord(tombstone),
        left: recordMoveOf(tombstone) !== null,
        isAway: false,
        moved,
      });
    }
  }
  // Safe to lock outside the ordered lock below: only a move event touches a lane that is out of reach.
  const away = await tx.findLanes({
    kind: "moved_to",
    resourceType: type,
    place: placeText(from),
  });
  for (const lane of await tx.lockLanes(away.map(({ id }) => id))) {
    const contact = book.contact(lane.connectionId);
    const { connectionId, externalId, recordType, recordId, tombstone, moved } = lane;
    if (contact === null || recordId === null || externalId === null) continue;
    const scope = contact.connection.scope;
    result.push({
      lane: lane.id,
      scope,
      connectionId,
      externalId,
      recordType,
      recordId,
      gone: false,
      ended: tombstone !== null && hasEndedBefore(tombstone),
      left: recordMoveOf(tombstone) !== null,
      isAway: true,
      moved,
    });
  }
  return result;
}

/**
 * Adopts a resource that was moved before the answer to its create arrived: the create's lane takes it at the old
 * address, and then moves with it. Returns `false` if no create waits for it.
 */
async function adoptMade(
  tx: StoreTransaction,
  { integration: _, move: { seen, from }, ...known }: KnownMove,
  contacts: readonly Contact[],
  mapping: Mapping,
  book: DirectorySnapshot,
  services: Services,
): Promise<boolean> {
  if (seen === null) return false;
  const observation = { ...seen, externalId: from.externalId, content: null };
  const arrival = { ...known, observation, verifiedAt: null };
  const items = contacts.map((contact) => ({ contact, mapping, arrival }));
  const made = (await identifyArrivals(tx, items)).flatMap(({ item, identification }) =>
    identification.kind === "adopt" ? [item] : [],
  );
  if (made.length > 0) await admitArrivals(tx, made, book, services);
  return made.length > 0;
}

/**
 * Makes lanes for a resource that was moved before its first observation. They end at the old address, so that late
 * observations there create no record. A resource that our account may have made is skipped: the answer to its
 * create handles it.
 */
async function unheardOf(
  tx: StoreTransaction,
  { type, from, seen }: ResourceMove,
  contacts: readonly Contact[],
  { recordType }: Mapping,
): Promise<readonly Leaving[]> {
  const { externalId } = from;
  const theirs = contacts.filter(
    ({ account }) => seen !== null && writtenByUs(seen, account.identity) === false,
  );
  const lanes = await tx.ensureLanes(
    theirs.map(({ connection: { id: connectionId } }) => ({
      ...{ connectionId, resourceType: type, recordType, externalId, recordId: null },
    })),
  );
  return theirs.flatMap(({ connection: { id: connectionId, scope } }, index): Leaving[] => {
    const lane = lanes[index];
    if (lane === undefined) return [];
    const fresh = { gone: false, ended: false, left: false, isAway: false } as const;
    const unpaired = { recordId: null, moved: null } as const;
    return [{ ...fresh, ...unpaired, lane, scope, connectionId, externalId, recordType }];
  });
}

/** Arrivals of the resource in connections to which no lane moved. Without content, so that the resource is read. */
async function whoArrives(
  tx: StoreTransaction,
  { integration: _, move, ...known }: KnownMove,
  to: readonly Contact[],
  arrived: ReadonlySet<ConnectionId>,
): Promise<readonly Incoming[]> {
  const { seen } = move;
  if (seen === null) return [];
  const incoming: Incoming[] = [];
  for (const contact of to) {
    const { id } = contact.connection;
    if (arrived.has(id)) continue;
    const present = await tx.findLanes({
      kind: "of_resources",
      connectionId: id,
      resourceType: move.type,
      externalIds: [move.to.externalId],
    });
    if (present.length > 0) continue;
    const observation = { ...seen, content: null };
    incoming.push({ contact, arrival: { ...known, observation, verifiedAt: null } });
  }
  return incoming;
}
