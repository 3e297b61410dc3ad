/**
 * The plan of a reconcile: the actions that would bring one pairing in step, before anything is done.
 *
 * Every observation of a listing passes through `admit` and `plan`, like an event, so the plan shows the actions
 * that the event will take. A plan does not include the actions of the lane's other live events.
 */
import type { Content } from "../../model/content.ts";
import { laneId } from "../../model/ids.ts";
import { type Lane, newLane } from "../../model/lane.ts";
import { isEndedByRecord } from "../../model/tombstone.ts";
import { admit } from "../admission/index.ts";
import {
  type Arrival,
  contentOf,
  type Context,
  inboundOff,
  resourceChanges,
} from "../lane/index.ts";
import { creationValues } from "../creates/index.ts";
import { closingValues, planRemoval, removalOf } from "../processing/index.ts";
import {
  action,
  isHeld,
  laterValues,
  type PlannedAction,
  type PlannedSight,
  planNews,
  planRecordSide,
  type RecordSide,
} from "../lifecycle/index.ts";

/** Plans the actions for an observation of a resource and its present record. */
export function planSeen(
  lane: Lane,
  arrival: Arrival,
  record: RecordSide,
  context: Context,
): PlannedSight {
  const { lane: after, event } = admit(lane, arrival, context);
  if (event?.state !== "queued") {
    const actions = planRecordSide(lane, record, context);
    return { isAdmitted: event !== null, isNews: false, actions };
  }
  const actions = record.kind === "gone" ? [] : planNews(after, event, record, context);
  return { isAdmitted: true, isNews: true, actions };
}

/** Plans the actions for an unpaired child whose parent returned: it is read again. */
export function planOrphan(
  lane: Lane,
  { observation }: Arrival,
  context: Context,
): readonly PlannedAction[] {
  const isLookedAt = lane.live.some(({ direction }) => direction === "inbound");
  const isOrphan = lane.externalId !== null && lane.recordId === null && lane.tombstone === null;
  if (!isOrphan || isLookedAt || inboundOff(lane, context) !== null) return [];
  const content = contentOf(lane, observation, context);
  const { updatedAt } = observation;
  return planNews(lane, { content, updatedAt }, { kind: "none" }, context);
}

/** Plans the create of a record's counterpart, and the patch of fields that a create cannot carry. */
export function planUnpaired(
  recordId: string,
  content: Content,
  lane: Pick<Lane, "connectionId" | "resourceType" | "recordType">,
  context: Context,
): readonly PlannedAction[] {
  const { mapping } = context;
  const unseen = unseenLane({ ...lane, externalId: null, recordId });
  if (isHeld(unseen, context)) return [];
  const values = creationValues(mapping, content);
  const created = action("create_resource", unseen, resourceChanges(values, {}), []);
  const later = resourceChanges(...laterValues(mapping, content));
  return later.length === 0 ? [created] : [created, action("patch_resource", unseen, later, [])];
}

/** Plans the actions for a lane whose resource is certainly deleted. */
export function planAbsent(
  lane: Lane,
  record: RecordSide,
  context: Context,
): readonly PlannedAction[] {
  const content = record.kind === "present" ? record.content : null;
  const { removal, conflicts } = planRemoval(lane, content, context);
  if (removal.kind === "none") return [];
  return [action(`${removal.kind}_record`, lane, [], conflicts)];
}

/**
 * Plans the removal of a resource that a late create of ours made after its record's deletion had found nothing to
 * remove. A resource that was removed before is skipped, because a person has reopened it.
 */
export function planOutlived(
  lane: Lane,
  { observation }: Arrival,
  context: Context,
): readonly PlannedAction[] {
  const isRemoved = lane.lastSent?.kind === "close" || lane.lastSent?.kind === "delete";
  const isLeft = observation.content?.state === "closed" || isRemoved;
  if (!isEndedByRecord(lane.tombstone) || isLeft || isHeld(lane, context)) return [];
  const isQueued = lane.live.some(
    ({ direction, action }) => direction === "outbound" && action === "delete",
  );
  if (isQueued || removalOf(lane, context.mapping) === "detach") return [];
  return [action("remove_resource", lane, [], [])];
}

/**
 * Plans the removal of a resource whose record is deleted. `null` if nothing may be sent now; the next sweep finds
 * it again.
 */
export function planVanished(lane: Lane, context: Context): readonly PlannedAction[] | null {
  if (isHeld(lane, context)) return null;
  const kind = removalOf(lane, context.mapping);
  if (lane.externalId === null || kind === "detach") return [];
  const values = kind === "close" ? closingValues(context.mapping) : {};
  return [action("remove_resource", lane, resourceChanges(values, lane.base ?? {}), [])];
}

/** Plans the closing of a surplus resource. */
export function planSurplus(
  lane: Pick<Lane, "resourceType" | "recordType" | "recordId">,
  { observation }: Arrival,
): PlannedAction {
  return action("close_surplus", { ...lane, externalId: observation.externalId }, [], []);
}

/** A lane that does not exist, for planning only. */
export function unseenLane(key: Parameters<typeof newLane>[1]): Lane {
  return newLane(laneId("0"), key);
}
