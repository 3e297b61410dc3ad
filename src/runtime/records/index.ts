/**
 * Reading and writing the app's rows, and finding the connections that a record belongs to.
 *
 * 1. A row is locked without waiting: a row that the app holds makes the event wait instead.
 * 2. Only `write-record.ts` and `inbound/apply-batch.ts` write records.
 * 3. Each write of Tandem's carries its mark, so that the drain recognises it.
 * 4. A hidden row is not a deleted row.
 */
export { hiddenOf, lockVisible } from "./absent-rows.ts";
export { readOrAbsent, recordSide, rowsOf } from "./compare.ts";
export { keyText } from "./key-text.ts";
export {
  leavesRow,
  lockForRemoval,
  newRecordPatch,
  planOnRow,
  recordAfter,
  type Removable,
  withPendingTimes,
  writeMerge,
  type WrittenMerge,
} from "./merge-row.ts";
export { capturedAmong, noteGone, type UncapturedRecord } from "./note-change.ts";
export { parentState } from "./parent.ts";
export {
  hasMovedOn,
  type LaneOfRecord,
  lanesLeft,
  type LaneThatEnded,
  lookAgain,
  noteExpectedParents,
  noteMoved,
  shiftOf,
  whereaboutsOf,
} from "./placement.ts";
export { alteredColumns } from "./suppress-echo.ts";
export { type RecordWriter, recordWriter } from "./write-record.ts";
