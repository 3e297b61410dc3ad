/**
 * Faults that a test sets, the requests that it holds back, and the log of all requests.
 *
 * 1. Faults are drawn by a seed, so a test repeats them.
 */
export {
  type ApiFaults,
  type Applied,
  drawFate,
  drawMillis,
  type Faults,
  matchesRequest,
  type Millis,
  type NetworkFault,
  noFaults,
  type RequestFate,
  scriptedFate,
  type ScriptedFault,
  strikes,
  type WebhookFaults,
} from "./faults.ts";
export { Hold } from "./hold.ts";
export { type RequestEntry, type RequestFilter, RequestLog } from "./request-log.ts";
