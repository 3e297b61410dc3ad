/**
 * The comparison of a record with its resource: `plan` decides field by field, and the other files carry the
 * result into the lane.
 *
 * 1. Contents are compared in the resource's terms, and in canonical form.
 * 2. A side has changed if it differs from base. Base becomes the resource's content, whichever side wins.
 * 3. A value that loses is recorded in `conflicts`.
 * 4. Times of the two sides are compared in `later-side.ts` alone.
 */
export { keepRecord } from "./keep-record.ts";
export {
  changesOf,
  concludeMerge,
  planMerge,
  queueUnsent,
  type RecordAfter,
  type ObservedState,
  observedState,
  observedInPayload,
} from "./merge.ts";
export { type Plan, unsent } from "./plan.ts";
export { contested, noteTurn, quarantine } from "./quarantine.ts";
export { awaitReads, isTooYoungToMiss, mayBeOfBefore, mayLag, READS_LAG_MS } from "./read-lag.ts";
export { stamp, stampedAt } from "./stamp.ts";
export {
  contentOrNull,
  MappingError,
  plannedFields,
  recordContent,
  recordWrite,
} from "./translate-record.ts";
