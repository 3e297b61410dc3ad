/** graphile-worker: a named queue for each issue, without and with the batches of its local queue. */
import { CONCURRENCY, CONNECTIONS, type Job, keyOf, load, type Peer } from "./peer.ts";

interface Library {
  readonly Logger: new (make: () => () => void) => object;
  readonly runMigrations: (options: object) => Promise<void>;
  readonly makeWorkerUtils: (options: object) => Promise<Utils>;
  readonly run: (options: object) => Promise<{ stop(): Promise<void> }>;
}

interface Utils {
  release(): Promise<void>;
  addJobs(
    specs: readonly { identifier: string; payload: Job; queueName: string; runAt: Date }[],
  ): Promise<unknown>;
}

const TASK = "deliver";

function graphileWorker(batching: object): Peer {
  const preset = async (url: string) => {
    const { Logger } = await load<Library>("graphile-worker");
    return {
      worker: {
        connectionString: url,
        logger: new Logger(() => () => undefined),
        concurrentJobs: CONCURRENCY,
        maxPoolSize: Math.max(CONNECTIONS, CONCURRENCY + 2),
        // There is no notification for a queue that becomes free: the next poll finds it.
        pollInterval: 20,
        ...batching,
      },
    };
  };
  return {
    async prepare(url) {
      const { runMigrations } = await load<Library>("graphile-worker");
      await runMigrations({ preset: await preset(url) });
    },
    async open({ url, handle }) {
      const { makeWorkerUtils, run } = await load<Library>("graphile-worker");
      const utils = await makeWorkerUtils({ preset: await preset(url) });
      const runner = await run({
        preset: await preset(url),
        noHandleSignals: true,
        taskList: { [TASK]: handle },
      });
      return {
        async enqueue(jobs) {
          const specs = jobs.map((payload) => ({
            identifier: TASK,
            payload,
            queueName: keyOf(payload),
            // With a shared time the jobs of one call would have no order.
            runAt: new Date(payload.payload.issue.updated_at),
          }));
          // Two calls that create queues in different orders can deadlock: one must retry.
          while (!(await isTaken(utils.addJobs(specs))));
        },
        async close() {
          await runner.stop();
          await utils.release();
        },
      };
    },
  };
}

/** Whether a call succeeded; `false` after a deadlock. */
async function isTaken(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "40P01") return false;
    throw error;
  }
}

export const queueName = graphileWorker({});

export const localQueue = graphileWorker({
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
});
