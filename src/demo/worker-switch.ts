/** The demo's worker, which can be killed as by a crash, and replaced by another. */
import type { Worker } from "../runtime/worker/index.ts";

export interface WorkerSwitch {
  readonly running: boolean;
  /** Signals that events may be due. */
  wake(): void;
  kill(): void;
  /** Starts a worker unless one is running. */
  restart(): void;
}

export function workerSwitch(start: () => Worker): WorkerSwitch {
  let worker: Worker | null = null;
  return {
    get running() {
      return worker !== null;
    },
    wake: () => worker?.wake(),
    kill() {
      void worker?.kill();
      worker = null;
    },
    restart() {
      worker ??= start();
    },
  };
}
