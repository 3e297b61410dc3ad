/** Gives batches of seeds to threads, each with its own database, and collects their reports. */
import { Worker } from "node:worker_threads";
import type { SeedReport } from "./simulation-report.ts";
import type { Assignment, Batch } from "./simulation-worker.ts";

export type Seeds = Exclude<Batch, null>;

/** Nearly all garbage is young; with more room for it, collections are rarer. */
const YOUNG_MEGABYTES = 64;

/**
 * @param told Called with each finished batch, in no particular order.
 * @throws the error of the first thread that died. Batches that were reported before stay reported.
 */
export async function tellAll(
  batches: Iterable<Seeds>,
  assignment: Omit<Assignment, "name">,
  jobs: number,
  told: (batch: Seeds, reports: readonly SeedReport[]) => void,
): Promise<void> {
  const waiting = batches[Symbol.iterator]();
  const threads = Array.from({ length: jobs }, (_, index) => {
    const worker = new Worker(new URL("./simulation-worker.ts", import.meta.url), {
      workerData: { ...assignment, name: String(index + 1) } satisfies Assignment,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    });
    return { worker, done: follow(worker, waiting, told) };
  });
  try {
    await Promise.all(threads.map(({ done }) => done));
  } finally {
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}

function follow(
  worker: Worker,
  waiting: Iterator<Seeds>,
  told: (batch: Seeds, reports: readonly SeedReport[]) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let current: Batch = null;
    worker.on("message", (reports: readonly SeedReport[]) => {
      if (current !== null) told(current, reports);
      const next = waiting.next();
      current = next.done === true ? null : next.value;
      worker.postMessage(current);
    });
    worker.on("error", reject);
    worker.on("exit", () => {
      if (current === null) resolve();
      else
        reject(
          new Error(`a thread ended before it had run the batch from seed ${String(current.from)}`),
        );
    });
  });
}
