/** The real clock. */
import type { Clock } from "../../model/clock.ts";
import { instantFromMillis } from "../../model/instant.ts";

/**
 * The machine's time of day, which never goes back and never lasts: leases, pauses and limits of a process
 * end when they should although its clock is set back.
 *
 * @param timeOfDay In milliseconds. Where it jumps ahead, so does the answer: the machine may have slept.
 * @param elapsed Milliseconds since some moment, whatever the time of day is set to.
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
