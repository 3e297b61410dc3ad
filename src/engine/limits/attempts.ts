/**
 * How often a wrong secret may be tried: each failure takes one try, and time gives it back.
 *
 * A bucket is one number, the time at which all its tries are back. So a limiter needs constant memory.
 */
import { addMillis, type Instant, MILLISECOND } from "../../model/instant.ts";

export interface Allowance {
  /** Tries of a full bucket. */
  readonly tries: number;
  /** One try comes back in so many milliseconds. */
  readonly everyMillis: number;
}

/** Milliseconds until the bucket has a try; 0: it has one. */
export function waitForTry(fullAt: Instant, now: Instant, allowance: Allowance): number {
  const { tries, everyMillis } = allowance;
  const missingMillis = (fullAgainAt(fullAt, now, allowance) - now) / MILLISECOND;
  return Math.max(0, missingMillis - (tries - 1) * everyMillis);
}

/** The bucket after a failure. */
export function takeTry(fullAt: Instant, now: Instant, allowance: Allowance): Instant {
  return addMillis(fullAgainAt(fullAt, now, allowance), allowance.everyMillis);
}

/** A bucket cannot miss more tries than it has. If it seems to, the clock was set back: it counts as full. */
function fullAgainAt(fullAt: Instant, now: Instant, { tries, everyMillis }: Allowance): Instant {
  const isBetween = fullAt > now && fullAt <= addMillis(now, tries * everyMillis);
  return isBetween ? fullAt : now;
}
