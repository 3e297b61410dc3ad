/** When a failed event is retried, and after how many attempts it is errored. */
import { addMillis, type Instant } from "../../model/instant.ts";

/** Attempts before an event is errored: the longest waits between them add up to about an hour. */
export const MAX_ATTEMPTS = 10;
const FIRST_DELAY_MS = 4_000;
const GROWTH = 3;
const LONGEST_DELAY_MS = 15 * 60_000;

/**
 * Exponential backoff with full jitter: a random delay between zero and the grown maximum, so that events
 * that failed at the same time are not retried at the same time.
 *
 * @param attempts How often the event was started, at least 1.
 * @param chance A uniform number in [0, 1).
 */
export function nextRunAt(now: Instant, attempts: number, chance: number): Instant {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * GROWTH ** (attempts - 1));
  return addMillis(now, ceiling * chance);
}
