/**
 * The worker: a set of loops, each of which repeats one step.
 *
 * 1. A step does a bounded piece of work and returns whether there was any.
 * 2. A loop that found work continues immediately; otherwise it waits for a wake-up or the idle time.
 * 3. A slow event takes one slot of the pool, and a slow account at most its share. Slots that it holds for long are
 *    lent to other accounts. An event whose API has answered takes none.
 */
import {
  awaitingAnswer,
  countHeld,
  freeSlots,
  type InFlight,
  isWorthClaiming,
} from "../../engine/limits/index.ts";
import { DirectorySnapshot, type Services, type WorkerWork } from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import { runAfterCommits } from "../hooks/index.ts";
import { askForAccess, redeliverDue, translateDeliveries } from "../receive/index.ts";
import { advanceBackfills } from "../backfill/index.ts";
import { claimDue, processDueBatch, passOnLeases } from "./claim-due.ts";
import { keepLease } from "../claims/index.ts";
import { drainChanges } from "../outbound/index.ts";
import { resumeFitScopes, unlessForeign, watchSchema } from "../safety/index.ts";
import { followLink } from "../identities/index.ts";
import { localSweepDue, pollDue, sweepDue } from "../reconcile/index.ts";
import { type Loop, startLoop, type LoopStep } from "./loop.ts";
import { processClaimed } from "./process-claimed.ts";

export interface WorkerOptions {
  /** The worker's name in the ledger. */
  readonly name: string;
  /** How long a claim is held without renewal. Default: 60,000. */
  readonly leaseMillis?: number;
  /** How often each connection is polled. Default: 60,000. */
  readonly pollMillis?: number;
  /** How often each connection's ids, and its records, are swept. Default: one day. */
  readonly sweepMillis?: number;
  /**
   * The number of events that are processed concurrently. Default: 16. An event whose API has answered no longer counts
   * while the answer is merged. With several accounts, slots that wait for a slow API are lent to the other accounts:
   * up to half as many more.
   */
  readonly concurrency?: number;
  /** How long an idle loop waits without a wake-up. Default: 250. */
  readonly idleMillis?: number;
}

export interface Worker {
  /** Stops claiming and waits for events in flight. */
  stop(): Promise<void>;
  /**
   * Abandons every event in flight, like a crash; their leases expire. When it resolves, the worker starts nothing
   * more.
   */
  kill(): Promise<void>;
  /** Notifies the worker that there may be work; without a kind, of any kind. */
  wake(work?: WorkerWork): void;
}

const STEPS = [
  "translate",
  "drain",
  "process",
  "after commit",
  "links",
  "leases",
  "backfill",
  "poll",
  "access",
  "sweep",
  "redelivery",
  "local sweep",
] as const;

type StepName = (typeof STEPS)[number];

/** The steps to wake after a step found work; the others wait for their idle time. */
const MAKES_WORK_FOR: Readonly<Record<StepName, readonly StepName[]>> = {
  translate: ["drain", "process"],
  drain: ["process", "links"],
  process: [],
  "after commit": ["drain"],
  links: ["drain"],
  leases: ["process"],
  backfill: ["drain", "process"],
  poll: [],
  access: ["process"],
  sweep: [],
  redelivery: [],
  "local sweep": ["drain"],
};

/** An ended event may have written a record, noted a hook, and let a backfill continue. */
const ENDED_EVENT_MAKES_WORK_FOR: readonly StepName[] = ["drain", "after commit", "backfill"];

const DONE_BY: Readonly<Record<WorkerWork, StepName>> = {
  deliveries: "translate",
  events: "process",
  changes: "drain",
};

/** The steps that any notification wakes. The other steps depend on time only. */
const ON_ANY_WORK: readonly StepName[] = [
  "translate",
  "drain",
  "process",
  "after commit",
  "links",
  "backfill",
];

/** The number of lanes in a batch; reduced after a batch failed. */
const LARGEST_BATCH = 200;

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
  const inFlight = new Map<Promise<void>, InFlight>();
  /** Called when a slot may have become free. */
  let freed: () => void = () => undefined;
  const isCompatible = watchSchema(services);

  // A batch that ended nothing is not repeated until an inbound event may have arrived.
  let mayProcessBatch = true;
  let batchSize = LARGEST_BATCH;

  async function claimAndProcess(): Promise<boolean> {
    const now = services.clock.now();
    const free = (isShared: boolean) => freeSlots(concurrency, inFlight.values(), isShared, now);
    const isWorth = (slots: number) => isWorthClaiming(slots, concurrency, inFlight.values());
    // If a claim is not worth it even with lent slots, skip the directory read that tells the number of accounts.
    const book = isWorth(free(true)) ? await DirectorySnapshot.open(services) : null;
    const slots = book === null ? 0 : free(book.isShared);
    if (book === null || !isWorth(slots)) {
      await new Promise<void>((resolve) => {
        freed = resolve;
      });
      return true;
    }
    const ended = mayProcessBatch ? await processDueBatch(services, book, name, batchSize) : 0;
    if ((ended ?? 0) > 0) wake(ENDED_EVENT_MAKES_WORK_FOR);
    batchSize = ended === null ? Math.ceil(batchSize / 4) : Math.min(LARGEST_BATCH, batchSize * 2);
    // Always claim as well: a steady flow of batches must not starve events that need single processing.
    const claims = await claimDue(services, book, name, leaseMillis, slots, {
      total: concurrency,
      held: countHeld(awaitingAnswer(inFlight.values())),
    });
    mayProcessBatch = ended !== 0 || claims.some(({ direction }) => direction === "inbound");
    for (const claimed of claims) {
      if (killed.signal.aborted) return false;
      const release = keepLease(services, claimed, leaseMillis);
      const flight = { account: claimed.account, since: now, answered: false };
      const answered = () => {
        flight.answered = true;
        freed();
        wake(["process"]);
      };
      const work = processClaimed(services, claimed, book, killed.signal, answered)
        .catch((error: unknown) => {
          services.log.error(
            { lane: claimed.lane, event: claimed.claim.event, ...describeError(error) },
            "an event could not be ended; another worker takes it when its lease expires",
          );
        })
        .finally(() => {
          release();
          inFlight.delete(work);
          freed();
          wake(["process", ...ENDED_EVENT_MAKES_WORK_FOR]);
        });
      inFlight.set(work, flight);
    }
    return claims.length > 0 || (ended ?? 0) > 0;
  }

  async function redeliver(): Promise<number> {
    const { redeliverMillis } = services;
    return redeliverMillis === null ? 0 : redeliverDue(services, redeliverMillis, killed.signal);
  }

  /** Runs work that reads or posts at an integration, or that must not run on a copied database. */
  async function ours(work: () => Promise<number>): Promise<boolean> {
    return (await unlessForeign(services, work)) > 0;
  }

  const { signal } = killed;
  const idleBriefly = Math.max(idleMillis, 1_000);
  const steps: Readonly<Record<StepName, Omit<LoopStep, "name">>> = {
    translate: {
      idleMillis,
      run: async () => (await translateDeliveries(services, name)) > 0,
    },
    drain: { idleMillis, run: async () => (await drainChanges(services)) > 0 },
    process: { idleMillis, run: claimAndProcess },
    "after commit": { idleMillis, run: async () => (await runAfterCommits(services, signal)) > 0 },
    links: { idleMillis: idleBriefly, run: () => followLink(services) },
    leases: { idleMillis: leaseMillis / 4, run: async () => (await passOnLeases(services)) > 0 },
    backfill: {
      idleMillis: idleBriefly,
      run: () => ours(() => advanceBackfills(services, signal, name)),
    },
    poll: {
      idleMillis: Math.min(pollMillis, 1_000),
      run: () => never(ours(() => pollDue(services, pollMillis, signal))),
    },
    access: {
      idleMillis: 60_000,
      run: () =>
        ours(
          async () => (await askForAccess(services, signal)) + (await resumeFitScopes(services)),
        ),
    },
    sweep: {
      idleMillis: Math.min(sweepMillis, 60_000),
      run: () => never(ours(() => sweepDue(services, sweepMillis, signal))),
    },
    redelivery: {
      idleMillis: Math.min(services.redeliverMillis ?? 60_000, 30_000),
      run: () => never(ours(redeliver)),
    },
    "local sweep": {
      idleMillis: Math.min(sweepMillis, 60_000),
      run: () => ours(() => localSweepDue(services, sweepMillis, signal)),
    },
  };
  const loops = new Map<StepName, Loop>();
  const wake = (names: readonly StepName[]) => {
    for (const each of names) loops.get(each)?.wake();
  };
  for (const step of STEPS) {
    const { idleMillis: idle, run } = steps[step];
    const turn = async () => {
      const worked = (await isCompatible()) && (await run());
      if (worked) wake(MAKES_WORK_FOR[step]);
      return worked;
    };
    loops.set(
      step,
      startLoop(services, stopping.signal, { name: step, idleMillis: idle, run: turn }),
    );
  }
  const hear = (work: WorkerWork | null = null) => {
    wake(work === null ? ON_ANY_WORK : [DONE_BY[work]]);
  };
  // A worker without notifications still finds work by its idle time.
  const unheard = services.store.onWork(hear).catch((error: unknown) => {
    services.log.warn(
      describeError(error),
      "notifications about work are not available; the worker polls for it",
    );
    return () => Promise.resolve();
  });

  async function end(): Promise<void> {
    stopping.abort();
    wake(STEPS);
    await Promise.all([...loops.values()].map((loop) => loop.done));
    await (
      await unheard
    )();
  }
  return {
    wake: hear,
    async stop() {
      await end();
      await Promise.all(inFlight.keys());
    },
    async kill() {
      killed.abort();
      await end().catch(() => undefined);
    },
  };
}

/** A step that is repeated by time only, so it never reports work. */
async function never(work: Promise<boolean>): Promise<boolean> {
  await work;
  return false;
}
