/** A loop that repeats a step: immediately if it found work; otherwise when it is woken, or after the idle time. */
import type { Clock } from "../../model/clock.ts";
import { describeError, isDatabaseTrouble } from "../failures/index.ts";
import type { Services } from "../services/index.ts";

/** The longest rest of a loop after its step failed. */
const REST_MS = 30_000;
/** The longest rest after trouble of the database, which often is over soon, and then many events wait. */
const DATABASE_REST_MS = 5_000;

export interface Loop {
  readonly wake: () => void;
  readonly done: Promise<void>;
}

export interface LoopStep {
  readonly name: string;
  readonly idleMillis: number;
  /** Does a bounded piece of work and returns whether there was any. */
  readonly run: () => Promise<boolean>;
}

export function startLoop(
  services: Pick<Services, "clock" | "log">,
  stopping: AbortSignal,
  { name, idleMillis, run: step }: LoopStep,
): Loop {
  const pause = createPause(services.clock, stopping);
  let failures = 0;
  let longest = REST_MS;
  async function run(): Promise<void> {
    while (!stopping.aborted) {
      let worked = false;
      try {
        worked = await step();
        failures = 0;
      } catch (error) {
        failures += 1;
        services.log.error(
          { loop: name, ...describeError(error) },
          "a step failed; it is repeated",
        );
        longest = isDatabaseTrouble(error) ? DATABASE_REST_MS : REST_MS;
      }
      if (failures > 0) await pause.rest(Math.min(longest, idleMillis * 2 ** failures));
      else if (!worked) await pause.until(idleMillis);
    }
  }
  return { wake: pause.end, done: run() };
}

/** A wait that a wake-up ends, even if the wake-up came before the wait began. */
function createPause(clock: Clock, stopping: AbortSignal) {
  let woken = false;
  let resting = false;
  let end: (() => void) | null = null;
  function wait(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.setTimer(millis, finish);
      function finish(): void {
        cancel();
        end = null;
        resolve();
      }
      end = finish;
    });
  }
  return {
    end: () => {
      woken = true;
      if (!resting || stopping.aborted) end?.();
    },
    async until(millis: number): Promise<void> {
      if (!woken) await wait(millis);
      woken = false;
    },
    /** A rest after a failure, which a wake-up must not end: it would make the loop fail in a tight loop. */
    async rest(millis: number): Promise<void> {
      resting = true;
      await wait(millis);
      resting = false;
    },
  };
}
