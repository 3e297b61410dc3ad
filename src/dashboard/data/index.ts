/**
 * The page's data: requests to the API, the stream of the ledger, and the words for both.
 *
 * 1. The page talks to the API only.
 * 2. Nothing here draws.
 */
export { compareSides, type Difference } from "./agreement.ts";
export {
  EVENT_STATES,
  groupByDay,
  isFiltering,
  type LedgerFilter,
  NO_FILTER,
  passes,
  pointersOf,
  subjects,
} from "./ledger.ts";
export { placeHash } from "./place.ts";
export { get, isLocked, RequestError, send } from "./request.ts";
export { type OverallStanding, standingOf } from "./standing.ts";
export type { StreamState } from "./stream.ts";
export { isDemo, useDemo } from "./use-demo.ts";
export { type LiveLedger, useLedger } from "./use-ledger.ts";
export { usePlace } from "./use-place.ts";
export {
  accountStanding,
  backfillLine,
  clockTime,
  connectionStanding,
  count,
  dayName,
  dayTime,
  directionName,
  duration,
  forPerson,
  OFF_CAUSES,
  recordName,
  refusedWebhooks,
  resourceName,
  stateName,
  subject,
  valueText,
} from "./wording.ts";
