/**
 * Looking at everything, without waiting to be told: poll, id sweep, local sweep, reconcile.
 *
 * 1. A resource that a list lacks is asked for by id before it counts as gone.
 * 2. Each finding passes through admission, as a webhook would.
 * 3. A plan writes nothing; it is weighed before it is carried out.
 */
export { localSweepDue, type LocalSweepSummary, sweepRecords } from "./local-sweep.ts";
export { pollConnection, pollDue } from "./poll.ts";
export { reconcileConnection, type Reconciliation } from "./reconcile.ts";
export { sweepConnection, sweepDue } from "./sweep.ts";
