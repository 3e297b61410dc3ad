/**
 * The worker: loops that claim due events and process them. No other code runs without a caller.
 *
 * 1. A step does a bounded piece of work, and returns whether there was any.
 * 2. A slow event takes one slot, and a slow account at most its share.
 * 3. A failed event is requeued or errored with a reason; a failure never ends the loop.
 */
export { claimDue, processDueBatch, passOnLeases } from "./claim-due.ts";
export { processClaimed } from "./process-claimed.ts";
export { runUntilIdle, type Settled } from "./run-until-idle.ts";
export { startWorker, type Worker, type WorkerOptions } from "./worker.ts";
