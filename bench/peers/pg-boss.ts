/** pg-boss: with its policy that keeps an order by key, and with one job of a group at a time. */
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
 * The number of jobs that the one worker of a process fetches in a batch. Each fetch reads the whole backlog. A
 * second worker would fetch the same oldest jobs of all keys, and wait for the first, or deadlock with it.
 */
const BATCH = 300;

interface Way {
  readonly policy: "key_strict_fifo" | "standard";
  /** The options by which jobs of one issue run one after the other. */
  readonly keyed: (key: string) => object;
  readonly working: object;
}

function pgBoss({ policy, keyed, working }: Way): Peer {
  const start = async (url: string) => {
    const { PgBoss } = await load<Library>("pg-boss");
    const boss = new PgBoss({ connectionString: url, max: CONNECTIONS, useListenNotify: true });
    // pg-boss continues after an error. The database counts deadlocks, and a failed fetch costs time.
    boss.on("error", () => undefined);
    await boss.start();
    return boss;
  };
  return {
    async prepare(url, analyze) {
      const boss = await start(url);
      await boss.createQueue(QUEUE, { policy, notify: true });
      // A queue in use has statistics; without them the first fetches take seconds.
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
          // Otherwise one failed job would fail all jobs of the same fetch.
          perJobResults: true,
          // The shortest possible poll interval, even if a notification is expected.
          ...{ pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 },
          ...working,
        },
        async (jobs) => {
          const results: Result[] = [];
          await inTurn(jobs, async ({ id, data }) => {
            results.push({ id, status: await statusOf(handle(data)) });
          });
          // After a fetch that was not full pg-boss would pause, although there is more work.
          if (worker.id !== undefined) boss.notifyWorker(worker.id);
          return results;
        },
      );
      return {
        async enqueue(jobs) {
          // All jobs of one insert have one time, and then the ids decide the order.
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

/** Starts the jobs in their order, with a limited number in parallel. */
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
