/** Which event of a lane runs next, and whether its content can still be trusted. */
import { type Content, sameValue } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { recordMoveOf } from "../../model/tombstone.ts";
import { findOverwrittenEdits, supersede } from "./sent-writes.ts";
import { endedReason, missedAtMove } from "./tombstone.ts";
import { liveEvents, move, processing, unchanged, withConflicts } from "./transition.ts";
import { type OlderTime, trust } from "./trust.ts";

/** A claim: the worker that owns an event, and the epoch under which the store accepts the event's end. */
export interface Claim {
  readonly event: EventId;
  readonly worker: string;
  readonly epoch: number;
}

/**
 * The event to start, oldest first; `null` while one is processing.
 *
 * Inbound events run before outbound ones, even if their `runAt` is later: an outbound write would overwrite an
 * edit that is already known.
 */
export function nextEvent(lane: Lane, now: Instant): TandemEvent | null {
  if (lane.disabled !== null || processing(lane) !== null) return null;
  const inbound = oldestFirst(liveEvents(lane, "queued", "inbound"));
  const candidate = inbound[0] ?? oldestFirst(liveEvents(lane, "queued", "outbound"))[0];
  return candidate !== undefined && candidate.runAt <= now ? candidate : null;
}

/** Claims an event under a lease and a new epoch. */
export function claim(
  lane: Lane,
  event: TandemEvent,
  worker: string,
  now: Instant,
  leaseMillis: number,
): Transition & { readonly claim: Claim } {
  const epoch = lane.epoch + 1;
  const transition = move({ lane: { ...lane, epoch }, ended: [] }, event.id, "processing", now, {
    reason: "being_processed",
    attempts: event.attempts + 1,
    startedAt: event.startedAt ?? now,
    leaseExpiresAt: addMillis(now, leaseMillis),
    epoch,
    worker,
  });
  return { ...transition, claim: { event: event.id, worker, epoch } };
}

/** Whether a worker may still end the event it claimed. */
export function holdsClaim(lane: Lane, held: Claim): boolean {
  const event = processing(lane);
  return event !== null && event.id === held.event && lane.epoch === held.epoch;
}

/** Requeues the event whose lease expired. The outcome of a request that it sent stays unknown. */
export function expireLeases(lane: Lane, now: Instant): Transition {
  const event = processing(lane);
  const expiresAt = event?.leaseExpiresAt ?? null;
  if (event === null || expiresAt === null || expiresAt > now) return unchanged(lane);
  return requeue(unchanged(lane), event, now, { reason: "lease_lost", runAt: now });
}

/** Whether the app restored the record whose deletion this event carries. */
export function isTakenBack({ tombstone }: Lane, { action, direction }: TandemEvent): boolean {
  return action === "delete" && direction === "outbound" && tombstone === null;
}

/**
 * Puts an event back into the queue. A lane has at most one queued event per direction, so a newer event that
 * waits already supersedes this one. A delete is kept and the waiting upsert is canceled, unless the upsert
 * restores the record.
 */
export function requeue(
  start: Transition,
  event: TandemEvent,
  now: Instant,
  details: Parameters<typeof move>[4],
): Transition {
  const waiting = liveEvents(start.lane, "queued", event.direction)[0];
  if (waiting === undefined) return move(start, event.id, "queued", now, details);
  if (supersedesWaiting(start.lane, event, waiting)) {
    const cleared = supersede(start, waiting, event, now);
    const looks = waiting.reread ? { ...details, reread: true } : details;
    return move(cleared, event.id, "queued", now, looks);
  }
  // A processing event cannot be canceled, so it passes through the queue.
  const queued = move(start, event.id, "queued", now, details);
  const superseded = supersede(queued, event, waiting, now);
  return saysOtherwise(event, waiting)
    ? move(superseded, waiting.id, "queued", now, { reread: true, reason: "reread_needed" })
    : superseded;
}

/** Requeues an event that did not fail, so the attempt is not counted. */
export function postpone(
  start: Transition,
  event: TandemEvent,
  now: Instant,
  details: Omit<Parameters<typeof move>[4], "attempts">,
): Transition {
  return requeue(start, event, now, { ...details, attempts: Math.max(0, event.attempts - 1) });
}

/**
 * Whether the requeued event supersedes the waiting one. The waiting event may be the older one: an event that
 * was added while its direction was switched off did not advance the lane's clock.
 */
function supersedesWaiting(lane: Lane, event: TandemEvent, waiting: TandemEvent): boolean {
  if (event.action === "delete") return waiting.action === "upsert" && !isTakenBack(lane, event);
  return (
    waiting.action === "upsert" &&
    event.direction === "inbound" &&
    event.updatedAt !== null &&
    waiting.updatedAt !== null &&
    event.updatedAt > waiting.updatedAt
  );
}

/** Whether two inbound events have one time and different content, so that their order is unknown. */
function saysOtherwise(event: TandemEvent, waiting: TandemEvent): boolean {
  return (
    event.direction === "inbound" &&
    waiting.action === "upsert" &&
    event.updatedAt === waiting.updatedAt &&
    event.digest !== waiting.digest
  );
}

export type Recheck =
  | { readonly verdict: "proceed" }
  | { readonly verdict: "reread" }
  | { readonly verdict: "ended"; readonly transition: Transition };

/**
 * Checks an inbound event again when it is started: the lane's knowledge may be newer than the event by now.
 *
 * @param shown The content of a read that was just made. Default: the event's content.
 */
export function recheckInbound(
  start: Transition,
  event: TandemEvent,
  now: Instant,
  shown: Content | null = event.content,
): Recheck {
  const { lane } = start;
  const { tombstone } = lane;
  if (event.action === "delete" && recordMoveOf(tombstone) === null) {
    return { verdict: "proceed" };
  }
  if (tombstone !== null) {
    const missed = missedAtMove(lane, shown ?? {}, event.id, event.updatedAt);
    const transition = move(start, event.id, "ignored", now, {
      reason: endedReason(tombstone),
      ignoredFor: { id: tombstone.event, type: "events" },
      conflicts: withConflicts(event, missed),
    });
    return { verdict: "ended", transition };
  }
  const answer = trust(lane, event);
  if (answer.kind === "outdated") {
    return { verdict: "ended", transition: endOlder(start, event, answer, now) };
  }
  return { verdict: answer.kind === "trusted" ? "proceed" : "reread" };
}

/** Ends an event that is older than the clock. Records as conflicts the values that a write of ours overwrote. */
function endOlder(
  start: Transition,
  event: TandemEvent,
  { clock, at }: OlderTime,
  now: Instant,
): Transition {
  return move(start, event.id, "ignored", now, {
    reason: "later_event",
    ignoredFor: { id: clock.event, type: "events" },
    conflicts: withConflicts(event, findOverwrittenEdits(start.lane, event.content ?? {}, at)),
  });
}

/**
 * Ends an event that is older than the clock if a read shows only content that is known and merged already: the
 * event was late. `null` if anything is left to merge.
 *
 * @param seen The content that the read showed, and its time.
 */
export function endLate(
  start: Transition,
  event: TandemEvent,
  seen: { readonly content: Content | null; readonly at: Instant },
  now: Instant,
): Transition | null {
  const { clock, known, base, attempt, moved, returned } = start.lane;
  if (clock === null || known === null || event.updatedAt === null) return null;
  const isLate = event.updatedAt < clock.at && seen.at === clock.at;
  const isSettled = attempt === null && moved === null && returned === null && !known.lost;
  if (!isLate || !isSettled || seen.content === null || base === null) return null;
  const { content } = seen;
  const isMerged = [known.content, base].every((said) =>
    Object.entries(content).every(([field, value]) => sameValue(said[field], value)),
  );
  return isMerged ? endOlder(start, event, { clock, at: event.updatedAt }, now) : null;
}

function oldestFirst(events: readonly TandemEvent[]): readonly TandemEvent[] {
  const time = (event: TandemEvent) => event.updatedAt ?? event.createdAt;
  return [...events].sort((a, b) => time(a) - time(b) || (a.id < b.id ? -1 : 1));
}
