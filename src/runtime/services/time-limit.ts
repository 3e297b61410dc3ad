/** A time limit on the app's own code, which must not block its caller for ever. */
import type { Clock } from "../../model/clock.ts";

export interface Limit {
  /** Rejects when the time is up. */
  readonly late: Promise<never>;
  /** Cancels the limit after the work has ended. */
  readonly end: () => void;
}

export function limitOf(clock: Clock, millis: number, tooSlow: () => Error): Limit {
  let end: () => void = () => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    end = clock.setTimer(millis, () => {
      reject(tooSlow());
    });
  });
  // The limit may reject before a caller awaits it, which would be an unhandled rejection.
  late.catch(() => undefined);
  return { late, end };
}

/** The result of the work, unless the time is up before. The work is not aborted then; its result is discarded. */
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
