/** Restarting errored events and re-enabling switched-off ones: both are re-admission. */
import type { TandemEvent } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { Lane, Transition } from "../model/lane.ts";
import { recheckInbound, requeue } from "./start.ts";
import { liveEvents, move, unchanged, withLane } from "./transition.ts";

/**
 * Restarts an errored event. It never brings back old content: one that the lane has moved past is
 * ignored, and any other reads its resource again.
 */
export function restart(start: Transition, event: TandemEvent, now: Instant): Transition {
  if (event.direction === "inbound") {
    const recheck = recheckInbound(start, event, now);
    if (recheck.verdict === "ended") return recheck.transition;
  }
  return requeue(start, event, now, {
    reason: "restarted",
    attempts: 0,
    runAt: now,
    reread: event.direction === "inbound" && event.action === "upsert",
    error: null,
  });
}

/** Restarts the errored events of a lane whose error may pass; a poll does so at every cycle. */
export function restartRetryable(lane: Lane, now: Instant): Transition {
  return liveEvents(lane, "errored")
    .filter((event) => event.error?.retryable === true)
    .reduce((transition, event) => restart(transition, event, now), unchanged(lane));
}

/** Switches a lane on again: per direction the newest event goes on, the others are canceled by it. */
export function enableLane(lane: Lane, now: Instant): Transition {
  return (["inbound", "outbound"] as const).reduce<Transition>(
    (transition, direction) => {
      const disabled = [...liveEvents(transition.lane, "disabled", direction)].sort((a, b) =>
        a.id < b.id ? 1 : -1,
      );
      const newest = disabled.find((event) => event.action === "delete") ?? disabled[0];
      if (newest === undefined) return transition;
      const canceled = disabled
        .filter((event) => event.id !== newest.id)
        .reduce(
          (others, event) =>
            move(others, event.id, "canceled", now, {
              reason: "superseded",
              canceledBy: newest.id,
            }),
          transition,
        );
      return enable(canceled, newest, now);
    },
    unchanged({ ...lane, disabled: null }),
  );
}

function enable(start: Transition, event: TandemEvent, now: Instant): Transition {
  const details = {
    reason: "re_enabled",
    runAt: now,
    reread: event.direction === "inbound" && event.action === "upsert",
  } as const;
  const waiting = liveEvents(start.lane, "queued", event.direction)[0];
  if (event.action === "delete") {
    // A delete sets the tombstone when it is admitted, and this is its admission.
    const side = event.direction === "inbound" ? "resource" : "record";
    const tombstone = start.lane.tombstone ?? { event: event.id, at: now, side };
    return requeue(withLane(start, { tombstone }), event, now, details);
  }
  if (waiting === undefined) return requeue(start, event, now, details);
  return move(start, event.id, "canceled", now, {
    reason: "superseded",
    canceledBy: waiting.id,
  });
}
