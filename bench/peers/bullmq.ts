/** BullMQ on Redis. It has no order by key, so the inversions are counted. */
import { CONCURRENCY, type Job, load, type Peer } from "./peer.ts";

interface Library {
  readonly Queue: new (name: string, options: object) => Queue;
  readonly Worker: new (
    name: string,
    handler: (job: { readonly data: Job }) => Promise<void>,
    options: object,
  ) => Worker;
}

interface Queue {
  waitUntilReady(): Promise<unknown>;
  addBulk(jobs: readonly { name: string; data: Job; opts: object }[]): Promise<unknown>;
  close(): Promise<void>;
}

interface Worker {
  waitUntilReady(): Promise<unknown>;
  close(force: boolean): Promise<void>;
}

const QUEUE = "deliveries";

export const bullmq: Peer = {
  prepare: () => Promise.resolve(),
  async open({ redisPort, handle }) {
    const { Queue, Worker } = await load<Library>("bullmq");
    const connection = { host: "127.0.0.1", port: redisPort };
    const queue = new Queue(QUEUE, { connection });
    const worker = new Worker(QUEUE, ({ data }) => handle(data), {
      // A worker's blocking request for jobs must be retried without a limit.
      connection: { ...connection, maxRetriesPerRequest: null },
      concurrency: CONCURRENCY,
    });
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
    return {
      async enqueue(jobs) {
        const opts = { removeOnComplete: true };
        await queue.addBulk(jobs.map((data) => ({ name: "delivery", data, opts })));
      },
      async close() {
        await worker.close(true);
        await queue.close();
      },
    };
  },
};
