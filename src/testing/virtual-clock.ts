/** A clock that moves only when a test moves it, so that tests never sleep. */
import type { Clock } from "../model/clock.ts";
import { addMillis, type Instant, parseInstant } from "../model/instant.ts";

interface Timer {
  readonly due: Instant;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * @example
 * const clock = new VirtualClock();
 * clock.setTimer(1000, () => console.log("a second later"));
 * clock.advance(1000);
 */
export class VirtualClock implements Clock {
  #now: Instant;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(start: Instant = parseInstant("2026-03-02T09:00:00Z")) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  setTimer(millis: number, fire: () => void): () => void {
    const timer = { due: addMillis(this.#now, Math.max(0, millis)), order: this.#order++, fire };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** When the next timer is due; `null` without timers. */
  nextTimer(): Instant | null {
    return this.#next()?.due ?? null;
  }

  /** Advances time, and fires each timer at its due time, in order. */
  advance(millis: number): void {
    this.advanceTo(addMillis(this.#now, millis));
  }

  /** Advances time to `target`; a target in the past does nothing. */
  advanceTo(target: Instant): void {
    for (let timer = this.#next(); timer !== null && timer.due <= target; timer = this.#next()) {
      this.#timers.delete(timer);
      if (timer.due > this.#now) this.#now = timer.due;
      timer.fire();
    }
    if (target > this.#now) this.#now = target;
  }

  #next(): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (
        next === null ||
        timer.due < next.due ||
        (timer.due === next.due && timer.order < next.order)
      ) {
        next = timer;
      }
    }
    return next;
  }
}
