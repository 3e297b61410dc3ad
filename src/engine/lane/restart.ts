/** What operators and polls do to a lane: restart, switch off and on, cancel. */
import type { Direction, TandemEvent } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, PairingOff, Transition } from "../../model/lane.ts";
import type { Context } from "./context.ts";
import { supersede } from "./sent-writes.ts";
import { MAX_ATTEMPTS } from "./retry.ts";
import { isTakenBack, recheckInbound, requeue } from "./claim.ts";
import { liveEvents, move, unchanged, withLane } from "./transition.ts";

/** The attempts that leave an event one more. */
const LAST_ATTEMPT = MAX_ATTEMPTS - 1;

/**
 * Restarts an errored event. It never brings back old content: one that the lane has moved past is
 * ignored, and any other reads its resource again.
 *
 * @param attempts How many of its attempts count as used up.
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
 * Restarts the errored events of a lane whose error may pass. A poll does so at every cycle, and one
 * attempt each time is enough: then the poll is their backoff, however long they have failed.
 */
export function restartRetryable(lane: Lane, now: Instant): Transition {
  return liveEvents(lane, "errored")
    .filter((event) => event.error?.retryable === true)
    .reduce((transition, event) => restart(transition, event, now, LAST_ATTEMPT), unchanged(lane));
}

/**
 * Switches a lane on again, or what a connection's direction had switched off: per direction the
 * newest event goes on, and the others are canceled by it.
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
      // An outbound event that must look first hands that on to the one that goes on.
      const looks = disabled.some(({ reread }) => reread);
      return enable(canceled, { ...newest, reread: looks }, now);
    },
    unchanged({ ...lane, disabled: null, flips: {} }),
  );
}

/**
 * Which of a direction's disabled events goes on, given the newest first: a delete is kept, unless it
 * has been taken back. One that was under way when it was taken back is older than what did that.
 */
function goingOn(lane: Lane, disabled: readonly TandemEvent[]): TandemEvent | undefined {
  const [newest] = disabled;
  const removal = disabled.find(({ action }) => action === "delete");
  if (removal === undefined || removal === newest) return newest;
  return isTakenBack(lane, removal) ? newest : removal;
}

/**
 * By the resource's own times, since webhooks come in any order; what has none, and ties, by birth. So is
 * what goes out: the time that a read before it has shown is of the provider's clock.
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
    // A delete sets the tombstone when it is admitted, and this is its admission.
    const side = event.direction === "inbound" ? "resource" : "record";
    const tombstone = start.lane.tombstone ?? { event: event.id, at: now, side };
    return requeue(withLane(start, { tombstone }), event, now, details);
  }
  return requeue(start, event, now, details);
}

/** Disables what waits in a direction that was switched off meanwhile. */
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
 * Switches a lane off: what waits is disabled, what is under way ends as it ends. What comes in
 * meanwhile is born disabled.
 */
export function disableLane(lane: Lane, disabled: PairingOff, now: Instant): Transition {
  return liveEvents(lane, "queued").reduce(
    (transition, event) =>
      move(transition, event.id, "disabled", now, { reason: "pairing_disabled" }),
    unchanged({ ...lane, disabled }),
  );
}

/**
 * Cancels an event by an operator's wish. What it bore is in doubt then, so that the next look at
 * the resource brings it again; a deletion that does not happen leaves no tombstone.
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
