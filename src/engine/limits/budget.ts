/** How much of an account's rate limit bulk work may use, so that interactive edits are not delayed. */
import { addMillis, type Instant, MILLISECOND } from "../../model/instant.ts";

/** The last rate limit that the provider reported for an account. */
export interface RateBudget {
  readonly limit: number;
  readonly remaining: number;
  /** When the provider resets it, by the database's clock. */
  readonly resetsAt: Instant;
}

/** The share of the budget that bulk work leaves to other requests. */
const RESERVE = 0.5;
const WINDOW_MS = 3_600_000;

/**
 * When bulk work may send its next request: `now`, or later.
 *
 * Half of the budget is reserved for other requests. The reserve shrinks towards the reset, because requests that
 * are unused by then are lost.
 */
export function bulkRequestAt(budget: RateBudget | null, now: Instant): Instant {
  if (budget === null || budget.resetsAt <= now) return now;
  const reserve = budget.limit * RESERVE;
  // The reserve is `reserve` for a whole window and sinks to nothing at its end.
  const leftMs = Math.min(WINDOW_MS, (budget.resetsAt - now) / MILLISECOND);
  if (budget.remaining > (reserve * leftMs) / WINDOW_MS) return now;
  const until = addMillis(budget.resetsAt, -(Math.max(0, budget.remaining) * WINDOW_MS) / reserve);
  return until > now ? addMillis(until, 1) : addMillis(now, 1_000);
}

/** When bulk work may write again after `written` writes, at its share of the provider's limit. */
export function bulkWriteAt(writesPerHour: number | null, written: number, now: Instant): Instant {
  if (writesPerHour === null || written === 0) return now;
  return addMillis(now, (written * WINDOW_MS) / (writesPerHour * (1 - RESERVE)));
}
