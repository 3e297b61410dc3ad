/**
 * How a claimed event goes on and ends, inbound and outbound, and what a local write becomes.
 *
 * 1. A request that overwrites something leaves only after a read that began since the event was claimed.
 * 2. An event ends with a reason, or goes back to the queue with the time of its next attempt.
 * 3. A row that is not seen counts as deleted only where its delete was captured, or nothing can hide it.
 */
export { awaitRow, isHidden } from "./absent-row.ts";
export { fail, type Failure } from "./failure.ts";
export {
  awaitDrain,
  awaitParent,
  awaitRecord,
  concludeInbound,
  concludeRemoval,
  type EndedParent,
  endForEndedParent,
  endForMissingRecord,
  keptArchived,
  keptByApp,
  MOVED_ON,
  nextLookAt,
  PARENT_DEADLINE_MS,
  planRemoval,
  type RemovalPlan,
  unsentOf,
} from "./inbound.ts";
export {
  admitChange,
  admitDrift,
  admitOrphan,
  admitRecordMove,
  admitRestore,
  admitUnsent,
  canRestore,
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
export {
  closingValues,
  concludeRemovalLook,
  concludeResourceRemoval,
  removalAfter,
  removalOf,
} from "./removal.ts";
export { admitThenReclose } from "./reopened.ts";
