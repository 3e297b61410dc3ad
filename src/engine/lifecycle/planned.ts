/** What a comparison leads to, as typed actions: what each says, and what comes of a record beside its resource. */
import { canonical, type Content } from "../../model/content.ts";
import type { Conflict, FieldChange, TandemEvent } from "../../model/event.ts";
import type { Lane } from "../../model/lane.ts";
import { mappedFields, type Mapping } from "../../model/mapping.ts";
import { type Context, liveEvents, outboundOff } from "../lane/index.ts";
import { unsentOf } from "../processing/index.ts";
import { changesOf, planMerge, type Sight } from "../merge/index.ts";

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

/** Whether nothing may leave now: switched off, or what leaves is errored and waits for somebody. */
export function isHeld(lane: Lane, context: Context): boolean {
  return (
    outboundOff(lane, context) !== null ||
    (["errored", "disabled"] as const).some(
      (state) => liveEvents(lane, state, "outbound").length > 0,
    )
  );
}

export function changesTo(values: Content, before: Content): readonly FieldChange[] {
  return Object.entries(values).map(([field, to]) => ({
    side: "resource",
    field,
    from: before[field] ?? null,
    to,
  }));
}

export function action(
  kind: PlannedKind,
  lane: Pick<Lane, "resourceType" | "externalId" | "recordType" | "recordId">,
  changes: readonly FieldChange[],
  conflicts: readonly Conflict[],
): PlannedAction {
  const { resourceType, externalId, recordType, recordId } = lane;
  return { kind, resourceType, externalId, recordType, recordId, changes, conflicts };
}

/** What only a later change can set, and what a new resource says there. */
export function laterValues(mapping: Mapping, record: Content): readonly [Content, Content] {
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
