/**
 * Limits: rate limits, accounts' shares of a worker, blast radius, wrong tokens, and copied databases.
 *
 * 1. Each limit is a pure function of counts and times; the runtime reads and keeps them.
 * 2. A limit delays work or asks a person. It never drops an event.
 */
export { asksForAccess, endedBy, SUSPENDED } from "./access.ts";
export {
  awaitingAnswer,
  countHeld,
  freeSlots,
  type InFlight,
  isWorthClaiming,
  type Slots,
  fairShare,
} from "./account-shares.ts";
export { type Allowance, takeTry, waitForTry } from "./attempts.ts";
export { type BlastRadius, weigh } from "./blast-radius.ts";
export { bulkRequestAt, bulkWriteAt } from "./budget.ts";
export {
  type Beat,
  type Instance,
  judgeInstance,
  type LostCreate,
  missBeat,
  SET_BACK,
  type StoredInstance,
  TAKEN_UP,
  takeUpAgain,
} from "./instance.ts";
export { compareLog, type FoundLog, type LogPlace } from "./log-place.ts";
export { chooseRedeliveries, noteAsk, readsFrom, takeAttempts } from "./redelivery.ts";
