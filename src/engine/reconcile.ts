/**
 * Reconciling, planned: what would be done to bring one pairing in step, before anything is done.
 *
 * Whatever a listing shows goes through `admit` and `plan`, as an event would; what is found here is
 * what the event then does. A plan says nothing of what the lane's own live events are about to do.
 */
import { canonical, type Content } from "../model/content.ts";
import type { Conflict, FieldChange, TandemEvent } from "../model/event.ts";
import { laneId } from "../model/ids.ts";
import { type Lane, newLane } from "../model/lane.ts";
import { mappedFields, type Mapping } from "../model/mapping.ts";
import { admit, contentOf } from "./admit.ts";
import type { Arrival } from "./arrival.ts";
import type { Context } from "./context.ts";
import { creationValues } from "./create.ts";
import { planRemoval, unsentOf } from "./inbound.ts";
import { changesOf, planMerge, type Sight } from "./merge.ts";
import { closingValues } from "./outbound.ts";
import { removalOf } from "./record-move.ts";
import { inboundOff, liveEvents, outboundOff } from "./transition.ts";

/** What is done to one side of one pairing. */
export type PlannedKind =
  | "create_record"
  | "update_record"
  | "delete_record"
  | "archive_record"
  | "detach_record"
  /** Its resource was taken for deleted and is alive: it is paired again, and not archived any more. */
  | "restore_record"
  /** Its resource was moved to another connection. */
  | "move_record"
  | "create_resource"
  | "patch_resource"
  | "remove_resource"
  /** Of ours, and not what its record is bound to: created twice. */
  | "close_surplus";

/** One thing that is to be done, with all it takes to judge it. */
export interface PlannedAction {
  readonly kind: PlannedKind;
  readonly resourceType: string;
  /** `null` where the resource is still to be created. */
  readonly externalId: string | null;
  readonly recordType: string;
  /** `null` where the record is still to be created. */
  readonly recordId: string | null;
  /** Field by field, as the ledger will tell it. */
  readonly changes: readonly FieldChange[];
  /** What would be overruled, and by whom. */
  readonly conflicts: readonly Conflict[];
}

/** The record of a lane as it is now: in the resource's terms, `gone`, or none yet. */
export type RecordSide =
  | { readonly kind: "present"; readonly content: Content }
  | { readonly kind: "gone" }
  | { readonly kind: "none" };

/** What an observation leads to. */
export interface PlannedSight {
  /** Whether admission makes anything of it, be it only that it was seen. */
  readonly isAdmitted: boolean;
  /** Whether its event does what is planned; else the record differs by itself. */
  readonly isNews: boolean;
  readonly actions: readonly PlannedAction[];
}

/** Plans what an observation of a resource, and its record as it is, lead to. */
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

/** Plans what an event that was just admitted leads to. */
export function planNews(
  after: Lane,
  event: Pick<TandemEvent, "content" | "updatedAt">,
  record: Exclude<RecordSide, { kind: "gone" }>,
  context: Context,
): readonly PlannedAction[] {
  const content = event.content ?? {};
  const sight: Sight = {
    content,
    copy: canonical(content, context.mapping.resource.fields),
    at: event.updatedAt ?? context.now,
    from: "payload",
  };
  const before = record.kind === "present" ? record.content : null;
  const merged = planMerge(after, sight, before, context);
  const changes = changesOf(merged, before);
  const { conflicts } = merged;
  if (before === null) return [action("create_record", after, changes, conflicts)];
  const kind = after.returned === null ? "update_record" : "restore_record";
  const isTaken = changes.length > 0 || after.returned !== null;
  const taken = isTaken ? [action(kind, after, changes, conflicts)] : [];
  const follows = planRecordSide(
    { ...after, base: merged.base },
    { kind: "present", content: { ...before, ...merged.toRecord } },
    context,
    isTaken ? [] : conflicts,
  );
  return [...taken, ...follows];
}

/** Plans what an orphan leads to whose parent is alive after all: it is looked at once more then. */
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

/** Plans what a record that differs from base leads to, where the resource has no news. */
export function planRecordSide(
  lane: Lane,
  record: RecordSide,
  context: Context,
  conflicts: readonly Conflict[] = [],
): readonly PlannedAction[] {
  if (record.kind !== "present" || lane.tombstone !== null || lane.externalId === null) return [];
  if (lane.base === null || isHeld(lane, context)) return [];
  const unsent = unsentOf(lane, record.content, context);
  const changes = changesTo(unsent, lane.base);
  return changes.length === 0 ? [] : [action("patch_resource", lane, changes, conflicts)];
}

/** Plans what follows for a record that has no counterpart: one is created, then completed. */
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
  const created = action("create_resource", unseen, changesTo(values, {}), []);
  const later = changesTo(...laterValues(mapping, content));
  return later.length === 0 ? [created] : [created, action("patch_resource", unseen, later, [])];
}

/** Plans what follows for a lane whose resource is gone for certain. */
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
 * Plans the removal of what has outlived its record: a create of ours that landed after the record's
 * deletion had found nothing to remove. What was removed once is left alone, for then somebody has
 * reopened it.
 */
export function planOutlived(
  lane: Lane,
  { observation }: Arrival,
  context: Context,
): readonly PlannedAction[] {
  const isRemoved = lane.lastSent?.kind === "close" || lane.lastSent?.kind === "delete";
  const isLeft = observation.content?.state === "closed" || isRemoved;
  if (lane.tombstone?.side !== "record" || isLeft || isHeld(lane, context)) return [];
  const isQueued = lane.live.some(
    ({ direction, action }) => direction === "outbound" && action === "delete",
  );
  if (isQueued || removalOf(lane, context.mapping) === "detach") return [];
  return [action("remove_resource", lane, [], [])];
}

/**
 * Plans the removal of a resource whose record is gone; `null` where nothing may leave now, so that a
 * later look finds it again.
 */
export function planVanished(lane: Lane, context: Context): readonly PlannedAction[] | null {
  if (isHeld(lane, context)) return null;
  const kind = removalOf(lane, context.mapping);
  if (lane.externalId === null || kind === "detach") return [];
  const values = kind === "close" ? closingValues(context.mapping) : {};
  return [action("remove_resource", lane, changesTo(values, lane.base ?? {}), [])];
}

/** The closing of a second resource of ours for one record. */
export function planSurplus(
  lane: Pick<Lane, "resourceType" | "recordType" | "recordId">,
  { observation }: Arrival,
): PlannedAction {
  return action("close_surplus", { ...lane, externalId: observation.externalId }, [], []);
}

/** The lane that a thing would get, for planning only. */
export function unseenLane(key: Parameters<typeof newLane>[1]): Lane {
  return newLane(laneId("0"), key);
}

/** Whether nothing may leave now: switched off, or what leaves is errored and waits for somebody. */
function isHeld(lane: Lane, context: Context): boolean {
  return (
    outboundOff(lane, context) !== null ||
    (["errored", "disabled"] as const).some(
      (state) => liveEvents(lane, state, "outbound").length > 0,
    )
  );
}

/** What only a later change can set, and what a new resource says there. */
function laterValues(mapping: Mapping, record: Content): readonly [Content, Content] {
  const { fields } = mapping.resource;
  const later: Record<string, Content[string]> = {};
  const first: Record<string, Content[string]> = {};
  for (const name of mappedFields(mapping)) {
    const spec = fields[name];
    const value = record[name];
    if (spec?.writable !== true || spec.settableOnCreate !== false || value === undefined) continue;
    if (spec.createdAs === value) continue;
    later[name] = value;
    if (spec.createdAs !== undefined) first[name] = spec.createdAs;
  }
  return [later, first];
}

function changesTo(values: Content, before: Content): readonly FieldChange[] {
  return Object.entries(values).map(([field, to]) => ({
    side: "resource",
    field,
    from: before[field] ?? null,
    to,
  }));
}

function action(
  kind: PlannedKind,
  lane: Pick<Lane, "resourceType" | "externalId" | "recordType" | "recordId">,
  changes: readonly FieldChange[],
  conflicts: readonly Conflict[],
): PlannedAction {
  const { resourceType, externalId, recordType, recordId } = lane;
  return { kind, resourceType, externalId, recordType, recordId, changes, conflicts };
}
