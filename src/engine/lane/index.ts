/**
 * A lane is one pairing of a record and a resource: its ordered events, and Tandem's knowledge of the resource.
 *
 * 1. `transition.ts` is the only place where an event changes its state; it refuses illegal moves.
 * 2. At most one event of a lane is processing, and inbound events run before outbound ones.
 * 3. Only an observation of the resource changes the lane's knowledge: an event, a read or an answer.
 * 4. A tombstone is lifted only by a read by id that began after it.
 */
export type { Admission, Arrival, ChildMatch } from "./arrival.ts";
export {
  type Claim,
  claim,
  endLate,
  expireLeases,
  holdsClaim,
  isTakenBack,
  nextEvent,
  postpone,
  recheckInbound,
  requeue,
} from "./claim.ts";
export { type Context, ownTime, type QuarantineLimits } from "./context.ts";
export { contentOf, setKnown, observe } from "./knowledge.ts";
export { newEvent } from "./new-event.ts";
export { nextWriteAt, paceWaiting } from "./pace.ts";
export {
  cancelByHand,
  disableLane,
  disableWaiting,
  enableLane,
  restart,
  restartRetryable,
} from "./restart.ts";
export { MAX_ATTEMPTS, nextRunAt } from "./retry.ts";
export {
  changesSent,
  findOverwrittenEdits,
  isByAuthor,
  isRestoring,
  lastWrites,
  REMEMBER_MS,
  replacedAfterEnd,
  resourceChanges,
  sentShortlyBefore,
  supersede,
} from "./sent-writes.ts";
export { hasTaken, isBesideOurs, mergeSet, splitSets, withOurChanges } from "./sets.ts";
export {
  backInReach,
  endedReason,
  hasEndedBefore,
  isArchivedByUs,
  lifted,
  mayReturn,
  missedAtMove,
  outOfReach,
  proves,
  removalReason,
  resourceGone,
  type Returnable,
  softDeleteOf,
} from "./tombstone.ts";
export {
  addEvent,
  inboundOff,
  liveEvents,
  move,
  outboundOff,
  outcomeUnknown,
  pairingOff,
  processing,
  unchanged,
  withConflicts,
  withLane,
} from "./transition.ts";
export {
  type ArrivalTrust,
  mayHaveLanded,
  type OlderTime,
  trust,
  type Trust,
  trustArrival,
  trustWrite,
} from "./trust.ts";
