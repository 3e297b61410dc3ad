/** Planned actions: the typed result of a comparison of records and resources, to show, weigh or execute. */
import { canonical, type Content } from "../../model/content.ts";
import type { Conflict, FieldChange, TandemEvent } from "../../model/event.ts";
import type { Lane } from "../../model/lane.ts";
import { mappedFields, type Mapping } from "../../model/mapping.ts";
import { type Context, liveEvents, outboundOff, resourceChanges } from "../lane/index.ts";
import { unsentOf } from "../processing/index.ts";
import { changesOf, planMerge, type ObservedState } from "../merge/index.ts";

/** An action on one side of one pairing. */
export type PlannedKind =
  | "create_record"
  | "update_record"
  | "delete_record"
  | "archive_record"
  | "detach_record"
  /** The resource returned: the record is paired again, and its archiving is undone. */
  | "restore_record"
  /** Its resource was moved to another connection. */
  | "move_record"
  | "create_resource"
  | "patch_resource"
  | "remove_resource"
  /** A second resource of ours that its record is not paired with. */
  | "close_surplus";

/** One planned action, with everything that a person needs to judge it. */
export interface PlannedAction {
  readonly kind: PlannedKind;
  readonly resourceType: string;
  /** `null` if the resource does not exist yet. */
  readonly externalId: string | null;
  readonly recordType: string;
  /** `null` if the record does not exist yet. */
  readonly recordId: string | null;
  /** The changes field by field, as the ledger will show them. */
  readonly changes: readonly FieldChange[];
  /** The values that would lose, and the side that wins. */
  readonly conflicts: readonly Conflict[];
}

/** The present record of a lane: in the resource's terms, `gone` if it was deleted, or `none` before it exists. */
export type RecordSide =
  | { readonly kind: "present"; readonly content: Content }
  | { readonly kind: "gone" }
  | { readonly kind: "none" };

/** The plan for an observation. */
export interface PlannedSight {
  /** Whether admission adds an event for it, of any state. */
  readonly isAdmitted: boolean;
  /** Whether the observation's event carries out the actions. Otherwise the record differs without it. */
  readonly isNews: boolean;
  readonly actions: readonly PlannedAction[];
}

/** Whether nothing may be sent now: outbound is switched off, or an outbound event is errored or disabled. */
export function isHeld(lane: Lane, context: Context): boolean {
  return (
    outboundOff(lane, context) !== null ||
    (["errored", "disabled"] as const).some(
      (state) => liveEvents(lane, state, "outbound").length > 0,
    )
  );
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

/** The values that only a change after the create can set, and the values of a new resource in these fields. */
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

/** Plans the actions for a record that differs from base while the resource has not changed. */
export function planRecordSide(
  lane: Lane,
  record: RecordSide,
  context: Context,
  conflicts: readonly Conflict[] = [],
): readonly PlannedAction[] {
  if (record.kind !== "present" || lane.tombstone !== null || lane.externalId === null) return [];
  if (lane.base === null || isHeld(lane, context)) return [];
  const unsent = unsentOf(lane, record.content, context);
  const changes = resourceChanges(unsent, lane.base);
  return changes.length === 0 ? [] : [action("patch_resource", lane, changes, conflicts)];
}

/** Plans the actions that a just admitted event will carry out. */
export function planNews(
  after: Lane,
  event: Pick<TandemEvent, "content" | "updatedAt">,
  record: Exclude<RecordSide, { kind: "gone" }>,
  context: Context,
): readonly PlannedAction[] {
  const content = event.content ?? {};
  const observed: ObservedState = {
    content,
    copy: canonical(content, context.mapping.resource.fields),
    at: event.updatedAt ?? context.now,
    from: "payload",
  };
  const before = record.kind === "present" ? record.content : null;
  const merged = planMerge(after, observed, before, context);
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
