/**
 * The worker: loops that claim what is due and work on it. Nothing else starts by itself.
 *
 * 1. A step does a bounded piece of work, and says whether there was any.
 * 2. A slow event, or a slow account, takes its own places and no more.
 * 3. A failed event goes back with a reason; none ends the loop.
 */
export { claimDue, processDueBatch, passOnLeases } from "./claim-due.ts";
export { processClaimed } from "./process-claimed.ts";
export { settle, type Settled } from "./run-until-idle.ts";
export { startWorker, type Worker, type WorkerOptions } from "./worker.ts";
