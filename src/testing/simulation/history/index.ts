/**
 * The record of a history: the values that people wrote and saw, the traffic with GitHub, the ledger's decisions.
 *
 * 1. Each value is written once per history, so a value identifies its edit.
 * 2. A simulated worker stops at its requests only, so the same seed gives the same history.
 * 3. The legal moves of an event are written here again, because they judge the engine's own.
 */
export {
  type Edit,
  type Fetch,
  History,
  keepingToken,
  markerIn,
  type Side,
  tokenIn,
  type Turn,
  withoutToken,
} from "./history.ts";
export { type LedgerView, readLedger } from "./ledger-view.ts";
export { LedgerWatch } from "./ledger-watch.ts";
export { NO_REMOTE_EDITS, type RemoteEditCounts, RemoteEdits } from "./remote-edits.ts";
export { Traffic, type TrafficListener, type WorkItem } from "./traffic.ts";
