/**
 * From a decided lane to the written row: one event alone, or a batch at once.
 *
 * 1. The row is locked, the merge planned and written, and the event ended in one transaction.
 * 2. A batch decides each event as if it were alone; only its statements are shared.
 * 3. Content that is in doubt is read again before it is merged.
 */
export { applyBatch, applyBatchAs } from "./apply-batch.ts";
export { admitGone, processInbound } from "./process-event.ts";
export { refuseStale, startRead } from "./stale-read.ts";
