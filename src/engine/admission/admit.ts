/**
 * Admission: the decision about an observation when it arrives.
 *
 * The first condition that holds decides:
 *   2  switched off                                   disabled
 *   3  tombstoned, and not verified as re-created     ignored, for the delete
 *   4  older than the lane's clock, a known version   ignored, for the event that moved it
 *      the same, and this version was never known     admitted, with a re-read
 *   5  same content as known, nothing in doubt        duplicate, of the event that brought it
 *   6  equal time with other content, or in doubt     admitted, with a re-read
 *   7  otherwise                                      admitted; older ones of its direction canceled
 *
 * The receiver decides row 1, a delivery seen before, because it stores the deliveries. `trustArrival` decides rows 4
 * to 7.
 */
import { digest, sameValue } from "../../model/content.ts";
import type { Reason, TandemEvent } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import { recordMoveOf, resourceDeleted, type Tombstone } from "../../model/tombstone.ts";
import {
  type Admission,
  type Arrival,
  addEvent,
  type ArrivalTrust,
  contentOf,
  type Context,
  findOverwrittenEdits,
  setKnown,
  inboundOff,
  lifted,
  liveEvents,
  mayReturn,
  missedAtMove,
  move,
  newEvent,
  type OlderTime,
  proves,
  replacedAfterEnd,
  resourceGone,
  supersede,
  trustArrival,
  unchanged,
  withLane,
} from "../lane/index.ts";
import { learnIdentity } from "../creates/index.ts";

/** Decides about an arrival and returns the lane that results. */
export function admit(lane: Lane, arrival: Arrival, context: Context): Admission {
  const { observation } = arrival;
  const start = unchanged(learnIdentity(lane, observation));
  const content = contentOf(lane, observation, context);
  const contentDigest = content === null ? null : digest(content);
  const born = newEvent(start.lane, context, {
    direction: "inbound",
    action: observation.action,
    source: arrival.source,
    updatedAt: observation.updatedAt,
    deliveryId: arrival.deliveryId,
    content,
    digest: contentDigest,
  });

  const off = inboundOff(lane, context);
  if (off !== null) return done(start, { ...born, state: "disabled", reason: off });

  if (lane.tombstone !== null) {
    if (mayReturn(lane) && proves(arrival, lane)) {
      return admitUpsert(withLane(start, lifted(lane)), born);
    }
    if (recordMoveOf(lane.tombstone) !== null) {
      return admitAfterMove(start, lane.tombstone, born, arrival);
    }
    const replaced = replacedAfterEnd(lane, content ?? {}, observation.updatedAt);
    if (replaced.length > 0) {
      const event = ignored(born, "tombstoned", lane.tombstone.event, context.now);
      return done(recordKnown(start, born), { ...event, conflicts: replaced });
    }
    // Every list shows closed resources, and those whose deletion still waits: no event, or each list adds one.
    if (isListed(arrival)) return { ...start, event: null };
    const { tombstone } = lane;
    // If the app restores the record later, the tombstone must say that its resource is gone.
    const told =
      observation.action === "delete"
        ? withLane(start, { tombstone: resourceGone(tombstone) })
        : start;
    return done(told, ignored(born, "tombstoned", tombstone.event, context.now));
  }
  if (observation.action === "delete") return admitDelete(start, born, context.now);

  const answer = trustArrival(start.lane, born, context);
  switch (answer.kind) {
    case "outdated": {
      const conflicts = findOverwrittenEdits(lane, content ?? {}, answer.at);
      const older = ignored(born, "later_event", answer.clock.event, context.now);
      return done(start, { ...older, conflicts });
    }
    case "duplicate":
      return admitDuplicate(start, born, answer, arrival);
    case "read":
      return answer.why === "older_unread"
        ? admitOlder(start, born, answer, arrival)
        : admitUpsert(start, { ...born, reread: true });
    case "trusted":
      return admitUpsert(start, born);
  }
}

/**
 * Row 4, a version that was never known: the provider's clock may have stepped back. The known content stays
 * until the event has read the resource.
 */
function admitOlder(
  start: Transition,
  born: TandemEvent,
  { clock, at }: OlderTime,
  arrival: Arrival,
): Admission {
  const { lane } = start;
  const now = born.createdAt;
  const isSaid = lane.live.some(
    ({ direction, state, updatedAt, digest: said }) =>
      direction === "inbound" &&
      (state === "queued" || state === "processing") &&
      updatedAt === born.updatedAt &&
      said === born.digest,
  );
  if (isSaid && isListed(arrival)) return { ...start, event: null };
  const [waiting] = liveEvents(lane, "queued", "inbound");
  const isLater =
    waiting !== undefined && waiting.updatedAt !== null && waiting.updatedAt >= clock.at;
  if (!isLater) {
    const event: TandemEvent = {
      ...born,
      reread: true,
      reason: "reread_needed",
      deadline: waitedFor(lane),
    };
    return done(cancelOlder(start, event, now), event);
  }
  // The waiting event's read covers this version too.
  const looks = move(start, waiting.id, "queued", now, { reread: true });
  const conflicts = findOverwrittenEdits(lane, born.content ?? {}, at);
  return done(looks, { ...ignored(born, "later_event", clock.event, now), conflicts });
}

/** Row 3, after the record was moved away: edits of its former resource are recorded as conflicts only. */
function admitAfterMove(
  start: Transition,
  tombstone: Tombstone,
  born: TandemEvent,
  arrival: Arrival,
): Admission {
  const { clock } = start.lane;
  const { content, digest: contentDigest, createdAt: now } = born;
  const at = arrival.observation.updatedAt;
  const event = ignored(born, "record_moved", tombstone.event, now);
  if (content === null || contentDigest === null) {
    const isGone = born.action === "delete";
    const told = isGone ? withLane(start, { tombstone: resourceGone(tombstone) }) : start;
    return isListed(arrival) ? { ...start, event: null } : done(told, event);
  }
  if (clock !== null && at < clock.at) {
    if (isListed(arrival)) return { ...start, event: null };
    return done(start, { ...event, conflicts: findOverwrittenEdits(start.lane, content, at) });
  }
  const conflicts = missedAtMove(start.lane, content, null, at);
  if (isListed(arrival) && conflicts.length === 0) return { ...start, event: null };
  // The order of two webhooks of one second is unknown, so content that was seen before is not new.
  if (clock?.at === at && conflicts.length === 0) return done(start, event);
  return done(recordKnown(start, born), { ...event, conflicts });
}

/** Sets the known content to an event's, even if no event merges it: its loss must not be recorded twice. */
function recordKnown(start: Transition, { id, content, digest: said, updatedAt: at }: TandemEvent) {
  if (content === null || said === null || at === null) return start;
  return setKnown(start, { content, at, event: id }, said);
}

/** Row 5: takes the time and the unmapped fields of content that is known already. */
function admitDuplicate(
  start: Transition,
  born: TandemEvent,
  { of: known, why }: Extract<ArrivalTrust, { kind: "duplicate" }>,
  arrival: Arrival,
): Admission {
  const { observation } = arrival;
  const at = observation.updatedAt;
  const now = born.createdAt;
  const fresh = refreshCopy(start, observation);
  // A poll that overlaps the last one shows the same versions again, which needs no event.
  const isShownAgain = start.lane.clock?.at === at && why === "same_content";
  if (isShownAgain && isListed(arrival)) return { ...fresh, event: null };
  const later = advanceQueuedTime(fresh, known.event, at, now);
  return done(withLane(later, { clock: { at, event: born.id }, known: { ...known, at } }), {
    ...born,
    finishedAt: now,
    state: "duplicate",
    reason: why,
    duplicateOf: known.event,
  });
}

function isListed({ source }: Arrival): boolean {
  return source === "poll" || source === "backfill";
}

/** Row 7, and row 6 with its re-read: queues the event and makes its content the known content. */
function admitUpsert(start: Transition, born: TandemEvent): Admission {
  const event: TandemEvent = {
    ...born,
    reason: born.reread ? "reread_needed" : "admitted",
    deadline: waitedFor(start.lane),
  };
  const canceled = cancelOlder(start, event, event.createdAt);
  return done(recordKnown(canceled, event), event);
}

/** The deadline of the waiting event: an event that supersedes it must not wait for the full time again. */
function waitedFor(lane: Lane): Instant | null {
  const waiting = liveEvents(lane, "queued", "inbound").find(
    ({ reason }) => reason === "awaiting_children" || reason === "awaiting_parent",
  );
  return waiting?.deadline ?? null;
}

/** Only rows 1 to 3 apply to a deletion, because it carries the time of the edit before it. */
function admitDelete(start: Transition, born: TandemEvent, now: Instant): Admission {
  const tombstone = resourceDeleted(born.id, now);
  return done(withLane(cancelOlder(start, born, now), { tombstone }), born);
}

/** Row 7: a newer event supersedes older ones of its direction, but an upsert never supersedes a delete. */
export function cancelOlder(start: Transition, newer: TandemEvent, now: Instant): Transition {
  return start.lane.live
    .filter(
      (event) =>
        event.direction === newer.direction &&
        (event.state === "queued" || event.state === "errored") &&
        (event.action === "upsert" || newer.action === "delete"),
    )
    .reduce((transition, event) => supersede(transition, event, newer, now), start);
}

/** Gives a duplicate's later time to the queued carrier of its content: the carrier would be too old otherwise. */
function advanceQueuedTime(
  start: Transition,
  carrier: TandemEvent["id"],
  at: Instant,
  now: Instant,
): Transition {
  return liveEvents(start.lane, "queued", "inbound")
    .filter((event) => event.id === carrier)
    .reduce(
      (transition, event) => move(transition, event.id, "queued", now, { updatedAt: at }),
      start,
    );
}

function refreshCopy(start: Transition, { content }: Observation): Transition {
  const { copy } = start.lane;
  if (copy === null || content === null) return start;
  const same = Object.entries(content).every(([field, value]) => sameValue(copy[field], value));
  return same ? start : withLane(start, { copy: { ...copy, ...content } });
}

function ignored(event: TandemEvent, reason: Reason, by: EventId, now: Instant): TandemEvent {
  const ignoredFor = { id: by, type: "events" };
  return { ...event, state: "ignored", reason, ignoredFor, finishedAt: now };
}

function done(transition: Transition, event: TandemEvent): Admission {
  return { ...addEvent(transition, event), event };
}
