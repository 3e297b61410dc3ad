/**
 * The worker: the loops that move everything along, each a step repeated.
 *
 * 1. A step does a bounded piece of work and says whether there was any.
 * 2. A loop that found work goes on at once; one that found none waits to be woken, or a while.
 * 3. A slow event takes one place of the pool; the others go on.
 */
import type { Clock } from "../model/clock.ts";
import { AddressBook } from "./address-book.ts";
import { runAfterCommits } from "./after-commit.ts";
import { askForAccess } from "./ask-access.ts";
import { advanceBackfills } from "./backfill.ts";
import { claimDue, endDueTogether, keepLease, passOnLeases } from "./claim.ts";
import { drainChanges } from "./drain.ts";
import { followLink } from "./follow-links.ts";
import { isDatabaseTrouble, tell } from "./failures.ts";
import { watchFitness } from "./fitness.ts";
import { unlessForeign } from "./instance.ts";
import { localSweepDue } from "./local-sweep.ts";
import { pollDue } from "./poll.ts";
import { processClaimed } from "./process-claimed.ts";
import { redeliverDue } from "./redelivery.ts";
import type { Services } from "./services.ts";
import { sweepDue } from "./sweep.ts";
import { translateDeliveries } from "./translate-deliveries.ts";

export interface WorkerOptions {
  /** A name for the ledger: which worker did it. */
  readonly name: string;
  /** How long a claim is held without renewal. Default: 60,000. */
  readonly leaseMillis?: number;
  /** How often each connection is polled. Default: 60,000. */
  readonly pollMillis?: number;
  /** How often each connection's ids, and its records, are swept. Default: one day. */
  readonly sweepMillis?: number;
  /** Events worked on at once. Default: 16. */
  readonly concurrency?: number;
  /** How long an idle loop waits when nobody wakes it. Default: 250. */
  readonly idleMillis?: number;
}

export interface Worker {
  /** Stops claiming and waits for what is in flight. */
  stop(): Promise<void>;
  /** Abandons everything in flight, as a crash would; leases pass it on. */
  kill(): void;
  /** Says that there may be work. */
  wake(): void;
}

/** Lanes that are looked at together; fewer where the database would not have so many. */
const MOST_TOGETHER = 200;

interface Loop {
  readonly wake: () => void;
  readonly done: Promise<void>;
}

/** Starts the loops. They run until `stop` or `kill`. */
export function startWorker(services: Services, options: WorkerOptions): Worker {
  const {
    name,
    leaseMillis = 60_000,
    pollMillis = 60_000,
    sweepMillis = 24 * 3_600_000,
    concurrency = 16,
    idleMillis = 250,
  } = options;
  const killed = new AbortController();
  const stopping = new AbortController();
  const inFlight = new Set<Promise<void>>();
  const loops: Loop[] = [];
  const fits = watchFitness(services);
  const wake = () => {
    for (const loop of loops) loop.wake();
  };

  // A look that ends nothing is not repeated until something has come in that it could end.
  let mayEndTogether = true;
  let together = MOST_TOGETHER;

  async function claimAndProcess(): Promise<boolean> {
    const places = concurrency - inFlight.size;
    if (places <= 0) {
      await Promise.race(inFlight);
      return true;
    }
    const book = await AddressBook.open(services);
    const ended = mayEndTogether ? await endDueTogether(services, book, name, together) : 0;
    together = ended === null ? Math.ceil(together / 4) : Math.min(MOST_TOGETHER, together * 2);
    // What is due longest is claimed however much there is to be ended together.
    const claims = await claimDue(services, book, name, leaseMillis, places);
    mayEndTogether = ended !== 0 || claims.some(({ direction }) => direction === "inbound");
    for (const claimed of claims) {
      if (killed.signal.aborted) return false;
      const release = keepLease(services, claimed, leaseMillis);
      const work = processClaimed(services, claimed, book, killed.signal)
        .catch((error: unknown) => {
          services.log.error(
            { lane: claimed.lane, event: claimed.claim.event, ...tell(error) },
            "an event could not be ended; its lease passes it on",
          );
        })
        .finally(() => {
          release();
          inFlight.delete(work);
          wake();
        });
      inFlight.add(work);
    }
    return claims.length > 0 || (ended ?? 0) > 0;
  }

  async function redeliver(): Promise<number> {
    const { redeliverMillis } = services;
    return redeliverMillis === null ? 0 : redeliverDue(services, redeliverMillis, killed.signal);
  }

  const steps: readonly (readonly [string, number, () => Promise<boolean>])[] = [
    ["translate", idleMillis, async () => (await translateDeliveries(services, name)) > 0],
    ["drain", idleMillis, async () => (await drainChanges(services)) > 0],
    ["process", idleMillis, claimAndProcess],
    ["after commit", idleMillis, async () => (await runAfterCommits(services, killed.signal)) > 0],
    // A drain that has made one wakes it.
    ["links", Math.max(idleMillis, 1_000), () => followLink(services)],
    ["leases", leaseMillis / 4, async () => (await passOnLeases(services)) > 0],
    [
      "backfill",
      Math.max(idleMillis, 1_000),
      async () =>
        (await unlessForeign(services, () => advanceBackfills(services, killed.signal, name))) > 0,
    ],
    [
      "poll",
      Math.min(pollMillis, 1_000),
      () => never(unlessForeign(services, () => pollDue(services, pollMillis, killed.signal))),
    ],
    [
      "access",
      60_000,
      async () => (await unlessForeign(services, () => askForAccess(services, killed.signal))) > 0,
    ],
    [
      "sweep",
      Math.min(sweepMillis, 60_000),
      () => never(unlessForeign(services, () => sweepDue(services, sweepMillis, killed.signal))),
    ],
    [
      "redelivery",
      Math.min(services.redeliverMillis ?? 60_000, 30_000),
      () => never(unlessForeign(services, redeliver)),
    ],
    [
      "local sweep",
      Math.min(sweepMillis, 60_000),
      async () =>
        (await unlessForeign(services, () => localSweepDue(services, sweepMillis, killed.signal))) >
        0,
    ],
  ];
  for (const [step, idle, run] of steps) {
    loops.push(
      startLoop(services, stopping.signal, step, idle, async () => {
        const worked = (await fits()) && (await run());
        if (worked && step !== "process") wake();
        return worked;
      }),
    );
  }
  const unheard = services.store.onWork(wake);

  async function end(): Promise<void> {
    stopping.abort();
    wake();
    await Promise.all(loops.map((loop) => loop.done));
    await (
      await unheard
    )();
  }
  return {
    wake,
    async stop() {
      await end();
      await Promise.all(inFlight);
    },
    kill() {
      killed.abort();
      void end().catch(() => undefined);
    },
  };
}

/** How long a loop rests at most after its step failed. */
const REST_MS = 30_000;
/** The same where the database is in trouble: it is back soon, and then much has waited. */
const DATABASE_REST_MS = 5_000;

/** A step whose next turn is a matter of time only. */
async function never(work: Promise<number>): Promise<boolean> {
  await work;
  return false;
}

function startLoop(
  services: Services,
  stopping: AbortSignal,
  name: string,
  idleMillis: number,
  step: () => Promise<boolean>,
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
        services.log.error({ loop: name, ...tell(error) }, "a step failed; it is repeated");
        longest = isDatabaseTrouble(error) ? DATABASE_REST_MS : REST_MS;
      }
      if (failures > 0) await pause.rest(Math.min(longest, idleMillis * 2 ** failures));
      else if (!worked) await pause.until(idleMillis);
    }
  }
  return { wake: pause.end, done: run() };
}

/** A wait that can be cut short, also by somebody who came before it began. */
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
    /** After a failure waking must not turn the loop into a storm. */
    async rest(millis: number): Promise<void> {
      resting = true;
      await wait(millis);
      resting = false;
    },
  };
}
