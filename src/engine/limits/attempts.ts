/**
 * How often a wrong secret may be tried: each failure takes one try from a bucket, which refills over time.
 *
 * A bucket is one number, the time at which it is full again, so a limiter needs constant memory.
 */
import { addMillis, type Instant, MILLISECOND } from "../../model/instant.ts";

export interface Allowance {
  /** Tries of a full bucket. */
  readonly tries: number;
  /** The milliseconds in which one try is refilled. */
  readonly everyMillis: number;
}

/** Milliseconds until the bucket has a try; 0 if it has one now. */
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
