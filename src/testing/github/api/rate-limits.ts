/** The hourly limit of each caller, and the secondary limit on fast writes. */
import { addMillis, type Instant, SECOND, truncateInstant } from "../../../model/instant.ts";

export interface Budget {
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  /** The time of the next reset. */
  readonly reset: Instant;
}

/** GitHub's own secondary limit on writes is about 80 a minute and 500 an hour. */
export interface WriteLimit {
  readonly perMinute: number;
  readonly perHour: number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export class RateLimits {
  readonly #limit: number;
  readonly #writeLimit: WriteLimit | null;
  readonly #budgets = new Map<string, { used: number; limit: number; reset: Instant }>();
  readonly #writes = new Map<string, Instant[]>();

  constructor(limit: number, writeLimit: WriteLimit | null) {
    this.#limit = limit;
    this.#writeLimit = writeLimit;
  }

  read(key: string, now: Instant): Budget {
    const { limit, used, reset } = this.#current(key, now);
    return { limit, used, remaining: Math.max(0, limit - used), reset };
  }

  charge(key: string, now: Instant): void {
    this.#current(key, now).used += 1;
  }

  /** Leaves this much of the limit until the given time. */
  set(key: string, remaining: number, reset: Instant): void {
    const limit = this.#limitOf(key);
    this.#budgets.set(key, { limit, used: limit - remaining, reset });
  }

  /** Counts a write, or returns for how many seconds the caller must not write. */
  admitWrite(key: string, now: Instant): { readonly retryAfterSeconds: number } | null {
    if (this.#writeLimit === null) return null;
    const hour = (this.#writes.get(key) ?? []).filter((at) => at > addMillis(now, -HOUR_MS));
    this.#writes.set(key, hour);
    const minute = hour.filter((at) => at > addMillis(now, -MINUTE_MS));
    const busy = minute.length >= this.#writeLimit.perMinute;
    const oldest = busy ? minute[0] : hour.length >= this.#writeLimit.perHour ? hour[0] : undefined;
    if (oldest === undefined) {
      hour.push(now);
      return null;
    }
    const free = addMillis(oldest, busy ? MINUTE_MS : HOUR_MS);
    return { retryAfterSeconds: Math.max(1, Math.ceil((free - now) / SECOND)) };
  }

  #current(key: string, now: Instant): { used: number; limit: number; reset: Instant } {
    const known = this.#budgets.get(key);
    if (known !== undefined && known.reset > now) return known;
    const reset = truncateInstant(addMillis(now, HOUR_MS), SECOND);
    const fresh = { used: 0, limit: this.#limitOf(key), reset };
    this.#budgets.set(key, fresh);
    return fresh;
  }

  #limitOf(key: string): number {
    return key === "anonymous" ? 60 : this.#limit;
  }
}
