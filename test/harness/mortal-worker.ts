/** A worker within the process that dies at a failpoint: what it has committed stays, and no more comes. */
import { DirectorySnapshot } from "../../src/runtime/services/directory-snapshot.ts";
import { claimDue, processDueBatch, passOnLeases } from "../../src/runtime/worker/claim-due.ts";
import { keepLease } from "../../src/runtime/claims/lease.ts";
import { drainChanges } from "../../src/runtime/outbound/drain.ts";
import type {
  Failpoint,
  FailpointContext,
  Failpoints,
} from "../../src/runtime/services/failpoints.ts";
import { processClaimed } from "../../src/runtime/worker/process-claimed.ts";
import type { Services } from "../../src/runtime/services/services.ts";
import { translateDeliveries } from "../../src/runtime/receive/intake.ts";
import type { Hold } from "../../src/testing/github/index.ts";
import type { SampleTandem } from "./sample-tandem.ts";

/** It is renewed before a request on its way is given up. */
export const LEASE_MS = 20_000;
const NAME = "mortal";

/** Tandem calls `at` at each point; a test sets it when its story begins. */
export interface Watch extends Failpoints {
  at: Failpoints["reach"];
}

export function watchPoints(): Watch {
  const watched: Watch = {
    at: () => Promise.resolve(),
    reach: (point, context) => watched.at(point, context),
  };
  return watched;
}

export interface Death {
  readonly point: Failpoint;
  readonly direction: FailpointContext["direction"];
  /** A request that is on its way when the worker renews its lease, and lands when it is dead. */
  readonly during?: Hold | null;
}

/**
 * Lets a worker ingest, drain, claim and process all pending work once, and die at the point; returns
 * the event that it was at.
 */
export async function dieAt(
  app: SampleTandem,
  watch: Watch,
  { point, direction, during = null }: Death,
): Promise<FailpointContext> {
  const killed = new AbortController();
  const { signal } = killed;
  const dead = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
  const met: FailpointContext[] = [];
  watch.at = (at, context) => {
    if (at === point && context.direction === direction && !signal.aborted) {
      met.push(context);
      killed.abort(new Error(`died ${point}`));
    }
    return signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
  };
  await app.github.answered();
  const open = new Set<Promise<unknown>>();
  const life = workOnce(mortal(app.tandem.services, signal, open), signal, keepLease);
  if (during !== null) {
    await Promise.race([during.arrived, life]);
    await app.advance(LEASE_MS / 4);
    await Promise.race([dead, life]);
  }
  await life.catch((error: unknown) => {
    if (error !== signal.reason) throw error;
  });
  // The worker's locks are free when the database has rolled back its open transactions.
  await Promise.allSettled(open);
  during?.apply();
  watch.at = () => Promise.resolve();
  return onlyOne(met, point);
}

export interface Frozen extends FailpointContext {
  readonly thaw: () => Promise<void>;
}

/** The same, and the worker only stands still at the point, its heart too, until it is thawed. */
export async function freezeAt(
  app: SampleTandem,
  watch: Watch,
  { point, direction }: Death,
): Promise<Frozen> {
  const met: FailpointContext[] = [];
  let go: () => void = () => undefined;
  const thawed = new Promise<void>((resolve) => {
    go = resolve;
  });
  await app.github.answered();
  let life: Promise<void> = Promise.resolve();
  const frozen = new Promise<void>((resolve) => {
    watch.at = (at, context) => {
      if (at !== point || context.direction !== direction) return Promise.resolve();
      met.push(context);
      watch.at = () => Promise.resolve();
      resolve();
      return thawed;
    };
    life = workOnce(app.tandem.services, new AbortController().signal, () => () => undefined);
  });
  await Promise.race([frozen, life]);
  return {
    ...onlyOne(met, point),
    async thaw() {
      go();
      await life;
    },
  };
}

function onlyOne([context]: readonly FailpointContext[], point: Failpoint): FailpointContext {
  if (context === undefined) throw new Error(`the worker came to its end before ${point}`);
  return context;
}

/** The same services, whose store takes nothing more from a worker that is dead. */
function mortal(services: Services, signal: AbortSignal, open: Set<Promise<unknown>>): Services {
  const { store } = services;
  return {
    ...services,
    store: {
      ...store,
      async transaction(work, beginning) {
        signal.throwIfAborted();
        const done = store.transaction(work, beginning);
        open.add(done);
        return done;
      },
    },
  };
}

async function workOnce(
  services: Services,
  signal: AbortSignal,
  beat: typeof keepLease,
): Promise<void> {
  await passOnLeases(services);
  await translateDeliveries(services, NAME);
  await drainChanges(services);
  const book = await DirectorySnapshot.open(services);
  await processDueBatch(services, book, NAME, 200);
  for (const claimed of await claimDue(services, book, NAME, LEASE_MS, 16)) {
    const release = beat(services, claimed, LEASE_MS);
    await processClaimed(services, claimed, book, signal).finally(release);
  }
}
