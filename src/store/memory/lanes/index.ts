/**
 * Lanes, their events and the ledger, in memory.
 *
 * 1. One transaction runs at a time: a lane cannot be held by another.
 * 2. Rows come in the order in which Postgres sorts them.
 */
export { byId } from "./lane-keys.ts";
export { findLanesInMemory } from "./find-lanes.ts";
export * as laneLocks from "./lane-locks.ts";
export {
  saveLanesInMemory,
  wakeAwaitingIntent,
  wakeAwaitingPairing,
  wakeChildren,
} from "./lane-writes.ts";
export { appendJournalInMemory } from "./ledger-events.ts";
export { memoryLedger } from "./ledger.ts";
export { reserveLanesInMemory } from "./reserve-lanes.ts";
export * as laneKeys from "./lane-keys.ts";
