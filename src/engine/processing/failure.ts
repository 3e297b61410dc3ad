/** The decision about a failed event: a retry, a pause that counts no attempt, or an error. */
import type { EventError, TandemEvent } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { Transition } from "../../model/lane.ts";
import {
  isTakenBack,
  liveEvents,
  MAX_ATTEMPTS,
  move,
  nextRunAt,
  postpone,
  requeue,
  supersede,
} from "../lane/index.ts";
import { lookInstead, withoutRefused } from "../creates/index.ts";

export interface Failure {
  readonly error: EventError;
  /** Whether our write may have taken effect although it failed. */
  readonly applied: "no" | "unknown";
  /** The account must wait until then. The event did not cause it, so its attempt is not counted. */
  readonly pausedUntil: Instant | null;
  /** Only a person can resolve it. Default: `false`. */
  readonly needsAttention?: boolean;
}

/** Decides what follows a failure. `chance` spreads retries: a uniform number in [0, 1). */
export function fail(
  start: Transition,
  event: TandemEvent,
  failure: Failure,
  now: Instant,
  chance: number,
): Transition {
  const { error, pausedUntil, applied, needsAttention = false } = failure;
  const { attempt } = start.lane;
  const isRefused =
    applied === "no" && attempt?.event === event.id && attempt.epoch === event.epoch;
  const noted = isRefused ? { ...start, lane: withoutRefused(start.lane, event) } : start;
  if (isRefused && attempt.kind === "create" && noted.lane.externalId !== null) {
    return lookInstead(noted, event, pausedUntil, now);
  }
  if (pausedUntil !== null) {
    return postpone(noted, event, now, {
      reason: "account_paused",
      error,
      runAt: pausedUntil,
    });
  }
  if (error.retryable && event.attempts < MAX_ATTEMPTS) {
    return requeue(noted, event, now, {
      reason: "retry",
      error,
      runAt: nextRunAt(now, event.attempts, chance),
    });
  }
  const forGood = needsAttention ? "needs_attention" : "failed";
  const reason = error.retryable ? "retries_exhausted" : forGood;
  const errored = move(noted, event.id, "errored", now, { reason, error });
  const waiting = liveEvents(errored.lane, "queued", event.direction)[0];
  const givesWay =
    waiting !== undefined &&
    (event.action === "upsert" || waiting.action === "delete" || isTakenBack(start.lane, event));
  return givesWay ? supersede(errored, event, waiting, now) : errored;
}
