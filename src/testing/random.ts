/** Seeded random numbers: the same seed gives the same history. */
import type { Random } from "../model/clock.ts";

/**
 * Mulberry32, a small 32-bit generator: uniform enough for fault schedules, and for nothing else.
 *
 * @example const random = seededRandom(42); random() // the same number in every run
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
