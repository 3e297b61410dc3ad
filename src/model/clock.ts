/** Time for the imperative shell: the present time, and timers. */
import type { Instant } from "./instant.ts";

/**
 * A source of time and timers. Production uses the system clock. The virtual clock of the test kit advances only
 * when a test advances it.
 */
export interface Clock {
  now(): Instant;
  /** Calls `fire` once after `millis` milliseconds unless the returned function is called first. */
  setTimer(millis: number, fire: () => void): () => void;
}

/** A source of uniform numbers in [0, 1), such as `Math.random` or a seeded generator. */
export type Random = () => number;
