/**
 * Lanes with their live events, as rows.
 *
 * 1. Lanes are locked in the order of their ids, and read by a statement after the lock.
 * 2. A save writes the difference between before and after, under the lock.
 * 3. A resource has one lane: a reserved lane excludes a second one until its transaction ends.
 */
export { ensureLanes, ensureLanesFree } from "./ensure-lanes.ts";
export { findLanes } from "./find-lanes.ts";
export { eventFromRow, type EventRow, instantOrNull, textOrNull } from "./event-rows.ts";
export * as laneKeys from "./lane-keys.ts";
export { readLanes } from "./lane-locks.ts";
export { pairingOffFromRow } from "./lane-rows.ts";
export { LaneMadeMeanwhileError, removeLane, saveLanes } from "./lane-writes.ts";
export { reserveLanes } from "./reserve-lanes.ts";
export * as laneLocks from "./lane-locks.ts";
