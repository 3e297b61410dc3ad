/** The real clock. */
import type { Clock } from "../model/clock.ts";
import { instantFromMillis } from "../model/instant.ts";

export const systemClock: Clock = {
  now: () => instantFromMillis(Date.now()),
  setTimer(millis, fire) {
    const timer = setTimeout(fire, millis);
    return () => {
      clearTimeout(timer);
    };
  },
};
