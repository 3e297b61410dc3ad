/** The demo's worker: it can be killed as a crash would, and another be started in its place. */
import type { Worker } from "../runtime/worker/index.ts";

export interface WorkerSwitch {
  readonly running: boolean;
  /** Says that there may be work. */
  wake(): void;
  kill(): void;
  /** Starts a worker unless one runs. */
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
