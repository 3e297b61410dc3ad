/** The operations of operators and polls on a lane: restart, enable, disable, cancel. */
import type { Direction, TandemEvent } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, PairingOff, Transition } from "../../model/lane.ts";
import { recordDeleted, resourceDeleted } from "../../model/tombstone.ts";
import type { Context } from "./context.ts";
import { supersede } from "./sent-writes.ts";
import { MAX_ATTEMPTS } from "./retry.ts";
import { isTakenBack, recheckInbound, requeue } from "./claim.ts";
import { liveEvents, move, unchanged, withLane } from "./transition.ts";

/** The number of used attempts that leaves an event exactly one. */
const LAST_ATTEMPT = MAX_ATTEMPTS - 1;

/**
 * Restarts an errored event. A restart must not merge old content: an event that is older than the lane's
 * clock is ignored, and any other event reads its resource again.
 *
 * @param attempts How many of the event's attempts count as used up.
 */
export function restart(
  start: Transition,
  event: TandemEvent,
  now: Instant,
  attempts = 0,
): Transition {
  if (event.direction === "inbound") {
    const recheck = recheckInbound(start, event, now);
    if (recheck.verdict === "ended") return recheck.transition;
  }
  return requeue(start, event, now, {
    reason: "restarted",
    attempts,
    runAt: now,
    reread: event.reread || (event.direction === "inbound" && event.action === "upsert"),
    error: null,
  });
}

/**
 * Restarts the errored events of a lane whose error is retryable. Each poll calls it and grants one attempt, so
 * the poll interval is the events' backoff, however long they have failed.
 */
export function restartRetryable(lane: Lane, now: Instant): Transition {
  return liveEvents(lane, "errored")
    .filter((event) => event.error?.retryable === true)
    .reduce((transition, event) => restart(transition, event, now, LAST_ATTEMPT), unchanged(lane));
}

/**
 * Enables a lane, or the directions that its connection had switched off. Per direction the newest event is
 * requeued and supersedes the others.
 */
export function enableLane(
  lane: Lane,
  now: Instant,
  directions: readonly Direction[] = ["inbound", "outbound"],
): Transition {
  return directions.reduce<Transition>(
    (transition, direction) => {
      const disabled = newestFirst(liveEvents(transition.lane, "disabled", direction));
      const newest = goingOn(transition.lane, disabled);
      if (newest === undefined) return transition;
      const canceled = disabled
        .filter((event) => event.id !== newest.id)
        .reduce((others, event) => supersede(others, event, newest, now), transition);
      // A canceled outbound event that had to re-read first passes that duty to the requeued event.
      const looks = disabled.some(({ reread }) => reread);
      return enable(canceled, { ...newest, reread: looks }, now);
    },
    unchanged({ ...lane, disabled: null, flips: {} }),
  );
}

/**
 * The one of a direction's disabled events (newest first) that is requeued. A delete is kept unless the app
 * restored the record. A delete that was in progress at the restore is older than the event that restores.
 */
function goingOn(lane: Lane, disabled: readonly TandemEvent[]): TandemEvent | undefined {
  const [newest] = disabled;
  const removal = disabled.find(({ action }) => action === "delete");
  if (removal === undefined || removal === newest) return newest;
  return isTakenBack(lane, removal) ? newest : removal;
}

/**
 * Sorts inbound events by the resource's own times, since webhooks arrive in any order. Events without a time,
 * and ties, are sorted by creation. So are outbound events: their time is from a read and by the provider's clock.
 */
function newestFirst(events: readonly TandemEvent[]): readonly TandemEvent[] {
  const time = ({ direction, updatedAt, createdAt }: TandemEvent) =>
    direction === "outbound" ? createdAt : (updatedAt ?? createdAt);
  return [...events].sort((a, b) => time(b) - time(a) || (a.id < b.id ? 1 : -1));
}

function enable(start: Transition, event: TandemEvent, now: Instant): Transition {
  const details = {
    reason: "re_enabled",
    runAt: now,
    reread: event.action === "upsert" && (event.direction === "inbound" || event.reread),
  } as const;
  if (event.action === "delete") {
    // A delete sets the tombstone at its admission. A disabled delete was not admitted until now.
    const ended = event.direction === "inbound" ? resourceDeleted : recordDeleted;
    const tombstone = start.lane.tombstone ?? ended(event.id, now);
    return requeue(withLane(start, { tombstone }), event, now, details);
  }
  return requeue(start, event, now, details);
}

/** Disables the queued events of a direction that was switched off after they were queued. */
export function disableWaiting(
  lane: Lane,
  switchedOff: Context["switchedOff"],
  now: Instant,
): Transition {
  return liveEvents(lane, "queued").reduce((transition, event) => {
    const reason = switchedOff[event.direction];
    return reason === null ? transition : move(transition, event.id, "disabled", now, { reason });
  }, unchanged(lane));
}

/**
 * Disables a lane and its queued events. The event that is processing ends as usual, and events that are added
 * later start as disabled.
 */
export function disableLane(lane: Lane, disabled: PairingOff, now: Instant): Transition {
  return liveEvents(lane, "queued").reduce(
    (transition, event) =>
      move(transition, event.id, "disabled", now, { reason: "pairing_disabled" }),
    unchanged({ ...lane, disabled }),
  );
}

/**
 * Cancels an event because an operator asked for it. The content that it carried becomes in doubt, so the next
 * observation of the resource brings it again. A canceled deletion removes its tombstone.
 *
 * @throws IllegalMoveError when the event is being processed.
 */
export function cancelByHand(start: Transition, event: TandemEvent, now: Instant): Transition {
  const canceled = move(start, event.id, "canceled", now, { reason: "canceled_by_hand" });
  const { known, tombstone } = canceled.lane;
  return withLane(canceled, {
    known: known?.event === event.id ? { ...known, lost: true } : known,
    tombstone: tombstone?.event === event.id ? null : tombstone,
  });
}
