/**
 * A resource that its users move to another container. Its lane moves with it: pairing, base and history stay, and
 * the address changes. Another lane takes the old address, ended by the move, so that late observations there are
 * ignored. If no connection covers the new container, the pairing ends and the record is kept.
 *
 *   1  the resource is moved           `moveLane`: two lanes trade addresses, and the resource is read again
 *   2  its children follow             `followParent`, matched by `matchChildren`
 *   3  the new place is out of reach   `leaveLane`; the resource may return from there
 */
import { sameValue } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { ConnectionId, DeliveryId, EventId, LaneId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type {
  LaneAddress,
  ObservationSource,
  Place,
  ResourceRef,
} from "../../model/observation.ts";
import {
  nextAddress,
  placeOutOfReach,
  recordDeleted,
  resourceDeleted,
  resourceMovedOn,
  type Tombstone,
} from "../../model/tombstone.ts";
import { cancelOlder } from "../admission/index.ts";
import { madeAnew } from "../creates/index.ts";
import {
  backInReach,
  addEvent,
  type Context,
  disableWaiting,
  enableLane,
  hasEndedBefore,
  liveEvents,
  move,
  newEvent,
  outOfReach,
  postpone,
  processing,
  requeue,
  supersede,
  unchanged,
  withLane,
} from "../lane/index.ts";
import { admitRecordMove, closingValues, queueRemoval } from "../processing/index.ts";

/** How a move became known. */
export interface MoveNews {
  readonly source: ObservationSource;
  readonly deliveryId: DeliveryId | null;
  /** The resource's number and page at its new place, for display. */
  readonly display: Readonly<Record<string, string>>;
}

/** An address as one text, to find a lane by its tombstone's `movedTo`. */
export function placeText({ containerId, externalId }: Place): string {
  return `${containerId}/${externalId}`;
}

/** The address that `placeText` wrote. */
export function placeFromText(text: string): Place {
  const end = text.lastIndexOf("/");
  return { containerId: text.slice(0, end), externalId: text.slice(end + 1) };
}

/** A lane that the move concerns, with the scope of its connection. */
export interface Departure {
  readonly lane: LaneId;
  readonly scope: string;
}

/** A connection of the new container. */
export interface Destination {
  readonly connection: ConnectionId;
  readonly scope: string;
}

/**
 * Assigns lanes to connections of the new container, if either container is connected to several scopes: the same
 * scope first, then in order. A lane without a free connection gets none.
 */
export function destinations(
  departures: readonly Departure[],
  free: readonly Destination[],
): ReadonlyMap<LaneId, ConnectionId> {
  const result = new Map<LaneId, ConnectionId>();
  const taken = new Set<ConnectionId>();
  const take = (lane: LaneId, to: Destination | undefined) => {
    if (to === undefined) return;
    result.set(lane, to.connection);
    taken.add(to.connection);
  };
  for (const { lane, scope } of departures) {
    take(
      lane,
      free.find((to) => to.scope === scope && !taken.has(to.connection)),
    );
  }
  for (const { lane } of departures) {
    if (!result.has(lane))
      take(
        lane,
        free.find((to) => !taken.has(to.connection)),
      );
  }
  return result;
}

/** Both lanes of a move: the moved one, and the one that takes the old address. */
export interface MovedLanes {
  readonly there: Transition;
  readonly behind: Transition;
}

/**
 * Moves a lane to the address of another lane (`place`). That lane may know the resource under its new address, and
 * have created a record from it: it takes the old address, and its record is a duplicate.
 *
 * A claim in progress is lost and its outcome unknown, so the resource is read at its new address first.
 */
export function moveLane(lane: Lane, place: Lane, news: MoveNews, to: Context): MovedLanes {
  const here = readdress(lane, place, to);
  const { now } = to;
  const former =
    lane.externalId === null
      ? null
      : { connection: lane.connectionId, externalId: lane.externalId };
  const start = withLane(here, {
    display: { ...lane.display, ...news.display },
    tombstone: here.lane.tombstone === null ? null : backAgain(here.lane, here.lane.tombstone, now),
    // A create of this lane may still take effect in the old container.
    intent: lane.intent === null ? null : { leftFrom: lane.connectionId, ...lane.intent },
    moved: lane.moved ?? former,
  });
  const { tombstone } = start.lane;
  // A deleted record stays deleted, and its resource is removed at its new address.
  if (tombstone !== null) {
    const there = placeOutOfReach(lane.tombstone) === null ? start : removeAtLast(start, to);
    return { there, behind: stayBehind(place, lane, tombstone.event, null, news, now) };
  }
  const off = to.switchedOff.inbound ?? (lane.disabled === null ? null : "pairing_disabled");
  const born = newEvent(start.lane, to, {
    direction: "inbound",
    action: "upsert",
    source: news.source,
    deliveryId: news.deliveryId,
    updatedAt: lane.clock?.at ?? null,
    reread: true,
  });
  const event: TandemEvent =
    off === null
      ? { ...born, reason: "reread_needed" }
      : { ...born, state: "disabled", reason: off };
  const alive = withoutDeletions(start, event.id, now);
  const there = addEvent(off === null ? cancelOlder(alive, event, now) : alive, event);
  return { there, behind: stayBehind(place, lane, event.id, event, news, now) };
}

/** Detaches a moved lane from its record, which the app moved and which has a counterpart in another connection. */
export function letRecordGo(along: Transition, context: Context): Transition {
  const { lane, ended } = admitRecordMove(along.lane, "to_connection", null, context);
  return { lane, ended: [...along.ended, ...ended] };
}

/** Cancels inbound deletions that were not carried out: they were about the old address of a living resource. */
function withoutDeletions(start: Transition, by: EventId, now: Instant): Transition {
  if (start.lane.tombstone !== null) return start;
  const details = { reason: "resource_moved", canceledBy: by } as const;
  return start.lane.live
    .filter(({ direction, action }) => direction === "inbound" && action === "delete")
    .reduce((next, { id }) => move(next, id, "canceled", now, details), start);
}

/** The tombstone of a moved lane. A deletion of its record, captured while it was out of reach, counts now. */
function backAgain({ live }: Lane, before: Tombstone, now: Instant): Tombstone | null {
  const tombstone = backInReach(before);
  const removal = live.find(
    ({ direction, action }) => direction === "outbound" && action === "delete",
  );
  if (tombstone !== null || removal === undefined) return tombstone;
  return recordDeleted(removal.id, now);
}

/** Queues the removal that could not be carried out while the resource was out of reach, unless it is closed. */
function removeAtLast(start: Transition, context: Context): Transition {
  const { base } = start.lane;
  const closing = Object.entries(closingValues(context.mapping));
  if (closing.every(([field, value]) => sameValue(base?.[field], value))) return start;
  const { lane, ended } = queueRemoval(start.lane, context);
  return { lane, ended: [...start.ended, ...ended] };
}

/** Moves a child's lane after its parent's, to the id that was found for it at the new place, if any. */
export function followParent(
  child: Lane,
  to: {
    readonly connectionId: ConnectionId;
    readonly externalId: string | null;
    readonly parent: ResourceRef;
    /** The event that makes the children follow. */
    readonly event: EventId;
  },
  context: Context,
): Transition {
  const there = readdress(child, to, context);
  const tombstone = child.tombstone === null ? null : backInReach(child.tombstone);
  const parent = there.lane.externalId === null ? child.parent : to.parent;
  const { intent } = child;
  const posted = intent?.posted && madeAnew(intent.posted, child.externalId, there.lane.externalId);
  const followed = withLane(there, {
    parent,
    tombstone,
    intent: intent === null ? null : { ...intent, ...(posted && { posted }) },
  });
  return withoutDeletions(followed, to.event, context.now);
}

/** Moves the lane at a child's new address to the child's old one, ended by the event that moved the child. */
export function tradePlaces(
  place: Lane,
  child: Lane,
  event: TandemEvent,
  now: Instant,
): Transition {
  return stayBehind(place, child, event.id, event, null, now);
}

/**
 * Ends a pairing whose resource moved out of reach. The record is kept whatever the policy for deletions, because
 * the resource is not deleted.
 */
export function leaveLane(lane: Lane, place: string, news: MoveNews, context: Context): Transition {
  const { now } = context;
  const born = newEvent(lane, context, {
    direction: "inbound",
    action: "delete",
    source: news.source,
    deliveryId: news.deliveryId,
    updatedAt: lane.clock?.at ?? null,
  });
  const start: Transition = unchanged({ ...lane, display: { ...lane.display, ...news.display } });
  if (lane.tombstone !== null && hasEndedBefore(lane.tombstone)) {
    return withLane(start, { tombstone: outOfReach(lane.tombstone, place) });
  }
  const canceled = cancelOlder(start, born, now);
  const tombstone = outOfReach(resourceDeleted(born.id, now), place);
  return addEvent(withLane(canceled, { tombstone }), born);
}

/** Changes a lane's address. Errored events are retried there, and the processing event is requeued. */
function readdress(
  lane: Lane,
  to: Pick<Lane, "connectionId" | "externalId">,
  context: Context,
): Transition {
  const { now, switchedOff } = context;
  const { connectionId, externalId } = to;
  const live = lane.live.map((event) => ({ ...event, connectionId, externalId }));
  const moved: Lane = { ...lane, connectionId, externalId, awaitingIntent: null, live };
  const active = processing(moved);
  const details = { reason: "resource_moved", runAt: now } as const;
  const freed =
    active === null ? unchanged(moved) : requeue(unchanged(moved), active, now, details);
  const again = liveEvents(freed.lane, "errored").reduce(
    (start, event) => requeue(start, event, now, { ...details, attempts: 0, error: null }),
    freed,
  );
  if (lane.disabled !== null) return again;
  const on = (["inbound", "outbound"] as const).filter((side) => switchedOff[side] === null);
  const enabled = enableLane(again.lane, now, on);
  const waiting = disableWaiting(enabled.lane, switchedOff, now);
  return { lane: waiting.lane, ended: [...again.ended, ...enabled.ended, ...waiting.ended] };
}

/**
 * Moves a lane to the old address and ends it there; its tombstone has the address that the resource moved on to. Its
 * live events are canceled, and its record is a duplicate.
 */
function stayBehind(
  place: Lane,
  { connectionId, externalId, parent }: Pick<Lane, "connectionId" | "externalId" | "parent">,
  by: EventId,
  newer: TandemEvent | null,
  news: MoveNews | null,
  now: Instant,
): Transition {
  const active = processing(place);
  const details = { reason: "resource_moved" } as const;
  const idle = active === null ? unchanged(place) : requeue(unchanged(place), active, now, details);
  const ended = idle.lane.live.reduce<Transition>(
    (transition, event) =>
      newer === null
        ? move(transition, event.id, "canceled", now, { ...details, canceledBy: by })
        : supersede(transition, event, newer, now),
    idle,
  );
  const url = news?.display.url;
  const next =
    place.externalId === null
      ? null
      : { connection: place.connectionId, externalId: place.externalId };
  return withLane(ended, {
    connectionId,
    externalId,
    parent,
    display: url === undefined ? {} : { movedTo: url },
    attempt: null,
    intent: null,
    awaitingIntent: null,
    moved: null,
    // The lane whose departure was reported late has this address now, so no origin is left to wait for.
    cameFrom: null,
    tombstone: next === null ? resourceDeleted(by, now) : resourceMovedOn(by, now, next),
  });
}

/**
 * The trail of a lane that was moved, possibly several times, before record and children followed: the lanes at
 * its former addresses, each of which names the next. Their records are duplicates.
 */
export function forwardingChain(
  { connectionId, externalId, moved }: Pick<Lane, "connectionId" | "externalId" | "moved">,
  others: readonly Lane[],
): readonly Lane[] {
  const way: Lane[] = [];
  for (let place = moved; place !== null;) {
    const { connection, externalId: id }: LaneAddress = place;
    if (connection === connectionId && id === externalId) break;
    const left = others.find((one) => one.connectionId === connection && one.externalId === id);
    if (left === undefined || way.includes(left)) break;
    way.push(left);
    place = nextAddress(left.tombstone);
  }
  return way;
}

/** Deletes a duplicate record of a moved resource that was deleted before record and children followed. */
export function removeWith(
  left: Lane,
  { source, deliveryId, updatedAt }: Pick<TandemEvent, "source" | "deliveryId" | "updatedAt">,
  context: Context,
): Transition {
  const isTold = left.live.some((one) => one.direction === "inbound" && one.action === "delete");
  if (isTold) return unchanged(left);
  const news = { source, deliveryId, updatedAt } as const;
  return addEvent(
    unchanged(left),
    newEvent(left, context, { direction: "inbound", action: "delete", ...news }),
  );
}

/** Requeues the event of a moved lane that has ended: no record or child has to follow. */
export function requeueAfterMove(start: Transition, event: TandemEvent, now: Instant): Transition {
  return postpone(start, event, now, { reason: "resource_moved", runAt: now });
}

/** Postpones an event until the children arrive: the provider moves them one after the other. */
export function awaitChildren(
  start: Transition,
  event: TandemEvent,
  deadline: Instant,
  runAt: Instant,
  now: Instant,
): Transition {
  return postpone(start, event, now, {
    reason: "awaiting_children",
    runAt,
    deadline,
    reread: true,
  });
}
