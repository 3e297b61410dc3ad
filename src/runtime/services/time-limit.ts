/** A limit on the app's own code: what never ends must not hold up what waits for it. */
import type { Clock } from "../../model/clock.ts";

export interface Limit {
  /** Rejects when the time is up. */
  readonly late: Promise<never>;
  /** The work has ended; nobody is late any more. */
  readonly end: () => void;
}

export function limitOf(clock: Clock, millis: number, tooSlow: () => Error): Limit {
  let end: () => void = () => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    end = clock.setTimer(millis, () => {
      reject(tooSlow());
    });
  });
  // It may come before anybody waits for it.
  late.catch(() => undefined);
  return { late, end };
}

/** What the work gives, unless the time is up before; what it then still does is nobody's. */
export async function inTime<T>(
  clock: Clock,
  millis: number,
  work: T | Promise<T>,
  tooSlow: () => Error = () => new Error(`it did not end within ${millis / 1_000} seconds`),
): Promise<T> {
  const { late, end } = limitOf(clock, millis, tooSlow);
  try {
    return await Promise.race([work, late]);
  } finally {
    end();
  }
}
