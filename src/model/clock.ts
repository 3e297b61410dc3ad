/** Time as the shells see it: what time it is, and "call me later". */
import type { Instant } from "./instant.ts";

/**
 * A source of time and timers. The system clock runs in production; the virtual clock of the test
 * kit only moves when told to.
 */
export interface Clock {
  now(): Instant;
  /** Calls `fire` once after `millis` milliseconds unless the returned function is called first. */
  setTimer(millis: number, fire: () => void): () => void;
}

/** A source of uniform numbers in [0, 1), such as `Math.random` or a seeded generator. */
export type Random = () => number;
