/** The real clock. */
import type { Clock } from "../../model/clock.ts";
import { instantFromMillis } from "../../model/instant.ts";

/**
 * The machine's time of day, made monotonic: a process's leases, pauses and limits end in time even if its clock is
 * set back.
 *
 * @param timeOfDay In milliseconds. If it jumps ahead, the result does too: the machine may have slept.
 * @param elapsed Milliseconds since some moment, independent of the time of day.
 */
export function neverBack(timeOfDay: () => number, elapsed: () => number): () => number {
  let shown = timeOfDay();
  let shownAt = elapsed();
  return () => {
    const at = elapsed();
    shown = Math.max(timeOfDay(), shown + (at - shownAt));
    shownAt = at;
    return shown;
  };
}

const millis = neverBack(
  () => Date.now(),
  () => performance.now(),
);

export const systemClock: Clock = {
  now: () => instantFromMillis(millis()),
  setTimer(millis, fire) {
    const timer = setTimeout(fire, millis);
    return () => {
      clearTimeout(timer);
    };
  },
};
