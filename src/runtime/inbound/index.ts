/**
 * From a decided lane to the written row: for a single event, or for a batch.
 *
 * 1. One transaction locks the row, plans and writes the merge, and ends the event.
 * 2. A batch decides about each event separately; only its statements are shared.
 * 3. Content in doubt is read again before it is merged.
 */
export { applyBatch, applyBatchAs } from "./apply-batch.ts";
export { admitGone, processInbound } from "./process-event.ts";
export { refuseStale, startRead } from "./stale-read.ts";
