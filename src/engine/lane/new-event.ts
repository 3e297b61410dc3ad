/** A new event, with the values that it has before any decision about it. */
import type { TandemEvent } from "../../model/event.ts";
import type { Lane } from "../../model/lane.ts";
import type { Context } from "./context.ts";

type Given = Pick<TandemEvent, "direction" | "action" | "source"> &
  Partial<
    Pick<
      TandemEvent,
      "updatedAt" | "deliveryId" | "content" | "digest" | "reread" | "restores" | "runAt"
    >
  >;

/** A queued event of a lane, due now unless another time is given. */
export function newEvent(lane: Lane, context: Context, given: Given): TandemEvent {
  return {
    id: context.newId(),
    laneId: lane.id,
    connectionId: lane.connectionId,
    externalId: lane.externalId,
    updatedAt: null,
    recordType: lane.recordType,
    recordId: lane.recordId,
    state: "queued",
    reason: "admitted",
    canceledBy: null,
    duplicateOf: null,
    ignoredFor: null,
    deliveryId: null,
    content: null,
    digest: null,
    changes: [],
    conflicts: [],
    error: null,
    attempts: 0,
    runAt: context.now,
    leaseExpiresAt: null,
    epoch: lane.epoch,
    worker: null,
    reread: false,
    restores: false,
    deadline: null,
    createdAt: context.now,
    startedAt: null,
    finishedAt: null,
    ...given,
  };
}
