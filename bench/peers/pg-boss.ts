/** pg-boss: once with its policy that keeps an order for each key, once with one job of a group at a time. */
import { CONCURRENCY, CONNECTIONS, type Job, keyOf, load, type Peer } from "./peer.ts";

interface Library {
  readonly PgBoss: new (options: {
    connectionString: string;
    max: number;
    useListenNotify: boolean;
  }) => Boss;
}

interface Boss {
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<void>;
  on(event: "error", listener: (error: Error) => void): void;
  createQueue(name: string, options: { policy: string; notify: boolean }): Promise<void>;
  deleteAllJobs(name: string): Promise<unknown>;
  insert(name: string, jobs: readonly object[]): Promise<unknown>;
  work(
    name: string,
    options: object,
    handler: (jobs: readonly { readonly id: string; readonly data: Job }[]) => Promise<unknown>,
  ): Promise<string>;
  notifyWorker(id: string): void;
}

interface Result {
  readonly id: string;
  readonly status: "completed" | "failed";
}

const QUEUE = "deliveries";
/**
 * Jobs that the one worker of a process fetches at once: each fetch looks at the whole backlog, and a
 * second worker goes for the same oldest jobs of all keys, and waits for, or deadlocks with, the first.
 */
const BATCH = 300;

interface Way {
  readonly policy: "key_strict_fifo" | "standard";
  /** What makes jobs of one issue follow each other. */
  readonly keyed: (key: string) => object;
  readonly working: object;
}

function pgBoss({ policy, keyed, working }: Way): Peer {
  const start = async (url: string) => {
    const { PgBoss } = await load<Library>("pg-boss");
    const boss = new PgBoss({ connectionString: url, max: CONNECTIONS, useListenNotify: true });
    // It goes on by itself; the database counts deadlocks, and a lost fetch costs its time.
    boss.on("error", () => undefined);
    await boss.start();
    return boss;
  };
  return {
    async prepare(url, analyze) {
      const boss = await start(url);
      await boss.createQueue(QUEUE, { policy, notify: true });
      // A queue that is in use has statistics, without which the first fetches take seconds.
      const sample = Array.from({ length: 2_000 }, (_, index) => String(index % 1_000));
      await boss.insert(
        QUEUE,
        sample.map((key) => ({ data: {}, ...keyed(key) })),
      );
      await analyze();
      await boss.deleteAllJobs(QUEUE);
      await boss.stop({ graceful: false });
    },
    async open({ url, handle }) {
      const boss = await start(url);
      const worker: { id?: string } = {};
      worker.id = await boss.work(
        QUEUE,
        {
          batchSize: BATCH,
          // Or else one job that fails would fail all that were fetched with it.
          perJobResults: true,
          // The shortest poll there is, also where a notification is expected.
          ...{ pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 },
          ...working,
        },
        async (jobs) => {
          const results: Result[] = [];
          await inTurn(jobs, async ({ id, data }) => {
            results.push({ id, status: await statusOf(handle(data)) });
          });
          // A fetch that was not full would be followed by a pause, and there is more to be had.
          if (worker.id !== undefined) boss.notifyWorker(worker.id);
          return results;
        },
      );
      return {
        async enqueue(jobs) {
          // In one insert all have one time, and then the order is that of the ids.
          await boss.insert(
            QUEUE,
            jobs.map((job) => ({ id: job.delivery, data: job, ...keyed(keyOf(job)) })),
          );
        },
        close: () => boss.stop({ graceful: false }),
      };
    },
  };
}

async function statusOf(handled: Promise<void>): Promise<Result["status"]> {
  try {
    await handled;
    return "completed";
  } catch {
    return "failed";
  }
}

/** Begins the jobs in their order, so many at once. */
async function inTurn<Each>(all: readonly Each[], handle: (one: Each) => Promise<void>) {
  const waiting = all.values();
  const work = async () => {
    for (const one of waiting) await handle(one);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

export const strictFifo = pgBoss({
  policy: "key_strict_fifo",
  keyed: (key) => ({ singletonKey: key }),
  working: {},
});

export const groupConcurrency = pgBoss({
  policy: "standard",
  keyed: (key) => ({ group: { id: key } }),
  working: { groupConcurrency: 1 },
});
