/**
 * The steps of a claimed event, inbound and outbound, until it ends; and the admission of local writes.
 *
 * 1. A request that overwrites something is sent only after a read that began since the event was claimed.
 * 2. An event ends with a reason, or is requeued with the time of its next attempt.
 * 3. A row that is not found counts as deleted only if its delete was captured, or if nothing can hide it.
 */
export { awaitRow, isHidden } from "./absent-row.ts";
export { fail, type Failure } from "./failure.ts";
export { admitWrites, changeTimes } from "./fold-captures.ts";
export {
  awaitDrain,
  awaitParent,
  awaitRecord,
  concludeInbound,
  concludeRemoval,
  type EndedParent,
  endForEndedParent,
  endForMissingRecord,
  keptByApp,
  nextLookAt,
  PARENT_DEADLINE_MS,
  planRemoval,
  planRowRemoval,
  type RemovalPlan,
  unsentOf,
} from "./inbound.ts";
export {
  admitChange,
  admitDrift,
  admitOrphan,
  admitRecordMove,
  admitUnsent,
  queueRemoval,
  type RecordChange,
  takeTimes,
} from "./local-change.ts";
export {
  concludeAnswer,
  concludeLook,
  type OutboundRequest,
  type OutboundStep,
  type ParentState,
  refOf,
  stepOutbound,
} from "./outbound.ts";
export { recordStanding } from "./record-standing.ts";
export {
  closingValues,
  concludeRemovalLook,
  concludeResourceRemoval,
  removalAfter,
  removalOf,
} from "./removal.ts";
export { admitThenReclose } from "./reopened.ts";
