/** The decisions the world drives, as one table, so that a mutant is the table with one row changed. */
import type { Content } from "../../../src/model/content.ts";
import type { Instant } from "../../../src/model/instant.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { admit } from "../../../src/engine/admission/admit.ts";
import { fail } from "../../../src/engine/processing/failure.ts";
import {
  concludeInbound,
  concludeRemoval,
  endForMissingRecord,
  planRemoval,
} from "../../../src/engine/processing/inbound.ts";
import { keepRecord } from "../../../src/engine/merge/keep-record.ts";
import { observedState, planMerge } from "../../../src/engine/merge/merge.ts";
import {
  concludeAnswer,
  concludeLook,
  stepOutbound,
} from "../../../src/engine/processing/outbound.ts";
import {
  concludeRemovalLook,
  concludeResourceRemoval,
} from "../../../src/engine/processing/removal.ts";
import {
  admitChange,
  queueRemoval,
  takeTimes,
} from "../../../src/engine/processing/local-change.ts";
import {
  disableWaiting,
  enableLane,
  restart,
  restartRetryable,
} from "../../../src/engine/lane/restart.ts";
import { claim, expireLeases, nextEvent, recheckInbound } from "../../../src/engine/lane/claim.ts";

/** A paired record that is missing counts as deleted: the runtime's own rule, beside its SQL. */
function countsAsDeleted(lane: Lane, record: Content | null): boolean {
  return record === null && lane.recordId !== null;
}

/** Reads can lag: one that is older than what is known is tried again, as `refuseStale` does. */
function isStale({ clock }: Lane, seenAt: Instant): boolean {
  return clock !== null && seenAt < clock.at;
}

export const engine = {
  countsAsDeleted,
  isStale,
  admit,
  admitChange,
  takeTimes,
  nextEvent,
  claim,
  recheckInbound,
  observedState: observedState,
  planMerge,
  keepRecord,
  concludeInbound,
  endForMissingRecord,
  planRemoval,
  concludeRemoval,
  stepOutbound,
  concludeAnswer,
  concludeLook,
  concludeRemovalLook,
  concludeResourceRemoval,
  queueRemoval,
  fail,
  expireLeases,
  restart,
  restartRetryable,
  disableWaiting,
  enableLane,
};

export type Engine = typeof engine;
