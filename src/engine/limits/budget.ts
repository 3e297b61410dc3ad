/** How much of an account's requests bulk work may use, so that interactive edits go first. */
import { addMillis, type Instant, MILLISECOND } from "../../model/instant.ts";

/** What the provider last said of an account's budget; `null` where it has said nothing. */
export interface RateBudget {
  readonly limit: number;
  readonly remaining: number;
  /** When it starts anew, by the database's clock. */
  readonly resetsAt: Instant;
}

/** The share of a whole budget that bulk work leaves to others. */
const RESERVE = 0.5;
const WINDOW_MS = 3_600_000;

/**
 * When bulk work may send its next request: `now`, or later.
 *
 * Half of the budget is kept for others, less the nearer it is to being given anew: what nobody has
 * used by then would be lost.
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

/** When bulk work may write again after so many writes, at its share of what the provider takes. */
export function bulkWriteAt(writesPerHour: number | null, written: number, now: Instant): Instant {
  if (writesPerHour === null || written === 0) return now;
  return addMillis(now, (written * WINDOW_MS) / (writesPerHour * (1 - RESERVE)));
}
