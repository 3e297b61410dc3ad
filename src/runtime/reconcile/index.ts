/**
 * Comparisons of whole connections, for changes that no webhook and no trigger reported: poll, id sweep, local sweep,
 * reconcile.
 *
 * 1. A resource that a list lacks is read by id before it counts as deleted.
 * 2. Each finding passes through admission, like a webhook.
 * 3. A plan writes nothing; it is weighed before it is executed.
 */
export { localSweepDue, type LocalSweepSummary, sweepRecords } from "./local-sweep.ts";
export { pollConnection, pollDue } from "./poll.ts";
export { reconcileConnection, type Reconciliation } from "./reconcile.ts";
export { sweepConnection, sweepDue } from "./sweep.ts";
