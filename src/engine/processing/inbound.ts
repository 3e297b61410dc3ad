/** How an inbound event ends, after the resource's content was merged or could not be. */
import { type Content, sameValue } from "../../model/content.ts";
import type { Conflict, TandemEvent } from "../../model/event.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { addMillis, type Instant, MILLISECOND } from "../../model/instant.ts";
import { isSoftDeleted, type Row } from "../../model/mapping.ts";
import { placeOutOfReach } from "../../model/tombstone.ts";
import {
  type Context,
  findOverwrittenEdits,
  isArchivedByUs,
  liveEvents,
  move,
  postpone,
  withConflicts,
  withLane,
} from "../lane/index.ts";
import {
  changesOf,
  concludeMerge,
  mayBeOfBefore,
  type Plan,
  plannedFields,
  queueUnsent,
  type RecordAfter,
  type ObservedState,
  unsent,
} from "../merge/index.ts";

/** How long an event waits for its parent before the parent is read. */
export const PARENT_DEADLINE_MS = 5 * 60_000;
/** The least time after which a waiting event checks again, if nothing wakes it ... */
export const WAIT_MS = 5_000;
/** ... and the longest: a wait may take an hour, and every check costs. */
const LONGEST_WAIT_MS = 5 * 60_000;

/** Ends an inbound upsert whose merge was written. */
export function concludeInbound(
  start: Transition,
  event: TandemEvent,
  observed: ObservedState,
  merged: Plan,
  record: { readonly before: Content | null; readonly after: RecordAfter },
  context: Context,
): Transition {
  const { known } = start.lane;
  const baseFrom = known?.baseFrom ?? known?.event ?? null;
  const newsForBase = !sameValue(merged.base, start.lane.base ?? undefined);
  const concluded = concludeMerge(start, event, observed, merged, record.after, context);
  const isReread = observed.from === "reread";
  const covered =
    isReread && event.content !== null && event.updatedAt !== null
      ? findOverwrittenEdits(concluded.lane, event.content, event.updatedAt)
      : [];
  const details = {
    externalId: concluded.lane.externalId,
    recordId: record.after.id,
    content: observed.content,
    updatedAt: observed.at,
    changes: [...event.changes, ...changesOf(merged, record.before)],
    conflicts: withConflicts(event, [...merged.conflicts, ...covered]),
    error: null,
  };
  const differs = !sameContentAs(record.after.content, concluded.lane, context);
  const arrived = withLane(concluded, {
    moved: null,
    ...(concluded.lane.known !== null && mayBeOfBefore(event, observed, concluded.lane, context)
      ? { known: { ...concluded.lane.known, doubted: true } }
      : {}),
  });
  const end = (state: "completed" | "ignored" | "duplicate", more: Parameters<typeof move>[4]) =>
    queueUnsent(
      move(arrived, event.id, state, context.now, { ...details, ...more }),
      differs,
      context,
    );

  if (start.lane.moved !== null && start.lane.recordId !== null) {
    return end("completed", { reason: "followed_move" });
  }
  if (start.lane.returned !== null && concluded.lane.returned === null) {
    const isNew = merged.outcome === "created";
    return end("completed", { reason: isNew ? "resource_returned_anew" : "resource_returned" });
  }
  switch (merged.outcome) {
    case "created":
      return end("completed", { reason: "created_record" });
    case "updated":
      return end("completed", { reason: "updated_record" });
    case "lost":
      return end("ignored", {
        reason: "record_is_newer",
        ignoredFor: { id: record.after.id, type: event.recordType },
      });
    case "agreed":
      if (isReread && !newsForBase && baseFrom !== null && baseFrom !== event.id) {
        return end("duplicate", { reason: "nothing_new", duplicateOf: baseFrom });
      }
      return end("completed", { reason: differs ? "record_kept" : "agreed" });
  }
}

/** Ends an event whose paired record is missing: the record counts as deleted, so no merge creates it again. */
export function endForMissingRecord(
  start: Transition,
  event: TandemEvent,
  context: Context,
): Transition {
  const { known } = start.lane;
  // This event's content is not merged. If the app restores the record, the resource must be read again.
  const unmerged =
    known?.event === event.id ? withLane(start, { known: { ...known, lost: true } }) : start;
  return move(unmerged, event.id, "ignored", context.now, {
    reason: "record_missing",
    ignoredFor: { id: event.recordId ?? start.lane.recordId ?? "", type: event.recordType },
  });
}

/** Postpones an event until its parent is paired; the attempt is not counted. */
export function awaitParent(start: Transition, event: TandemEvent, context: Context): Transition {
  const deadline = event.deadline ?? addMillis(context.now, PARENT_DEADLINE_MS);
  const next = nextLookAt(event, context.now);
  return postpone(start, event, context.now, {
    reason: "awaiting_parent",
    runAt: deadline > context.now && deadline < next ? deadline : next,
    deadline,
  });
}

/** When a waiting event checks again: the delay grows with the time that it has waited. */
export function nextLookAt({ startedAt }: Pick<TandemEvent, "startedAt">, now: Instant): Instant {
  const waited = startedAt === null ? 0 : (now - startedAt) / MILLISECOND;
  return addMillis(now, Math.min(LONGEST_WAIT_MS, Math.max(WAIT_MS, waited / 4)));
}

/** A parent whose pairing has ended: its record's key, and whether the record was moved away rather than deleted. */
export interface EndedParent {
  readonly ended: string | null;
  readonly moved: boolean;
}

/** Ends an event whose parent's pairing has ended: it can never be carried out below that parent. */
export function endForEndedParent(
  start: Transition,
  event: TandemEvent,
  { ended, moved }: EndedParent,
  { mapping, now }: Context,
): Transition {
  const type = mapping.parent?.recordType ?? event.recordType;
  return move(start, event.id, "ignored", now, {
    reason: moved ? "record_moved" : "parent_deleted",
    ignoredFor: ended === null ? null : { id: ended, type },
    error: null,
  });
}

/** Postpones an event because the app has locked the record's row; the attempt is not counted. */
export function awaitRecord(start: Transition, event: TandemEvent, context: Context): Transition {
  return postpone(start, event, context.now, {
    reason: "record_locked",
    runAt: addMillis(context.now, 250),
  });
}

/** Postpones an event until the drain has decided where its record belongs; the attempt is not counted. */
export function awaitDrain(start: Transition, event: TandemEvent, context: Context): Transition {
  return postpone(start, event, context.now, {
    reason: "admitted",
    runAt: addMillis(context.now, 250),
  });
}

/** The effect of a deletion at the integration on the record. */
export type RecordRemoval =
  | { readonly kind: "none" | "delete" | "detach" }
  /** `as`: the value of its soft delete after the archiving; `null` until that is written. */
  | { readonly kind: "archive"; readonly as: string | null };

export interface RemovalPlan {
  readonly removal: RecordRemoval;
  readonly conflicts: readonly Conflict[];
  /** The app has deleted or archived the record itself, and the drain has not admitted that yet. */
  readonly recordFirst?: true;
}

/** Plans an inbound delete: an unsent local edit turns `delete` into `detach`. */
export function planRemoval(lane: Lane, record: Content | null, context: Context): RemovalPlan {
  const { mapping } = context;
  if (record === null || lane.recordId === null) {
    const nothing: RemovalPlan = { removal: { kind: "none" }, conflicts: [] };
    return lane.recordId === null ? nothing : { ...nothing, recordFirst: true };
  }
  const edits = Object.entries(unsentOf(lane, record, context));
  const conflicts = edits.map(([field, kept]): Conflict => ({
    field,
    winner: "record",
    kept,
    lost: null,
    why: "resource_deleted",
  }));
  if (mapping.onResourceDeleted === "delete") {
    return { removal: { kind: edits.length > 0 ? "detach" : "delete" }, conflicts };
  }
  if (mapping.onResourceDeleted === "archive" && mapping.softDelete !== null) {
    return { removal: { kind: "archive", as: null }, conflicts };
  }
  return { removal: { kind: "detach" }, conflicts };
}

/**
 * Plans an inbound delete for the record as its row is now. A record that is paired with another resource by now, or
 * whose resource is out of reach, is kept. One that the app archived itself keeps the app's soft delete.
 *
 * @param hasMovedOn Whether the record has another lane in this connection.
 */
export function planRowRemoval(
  lane: Lane,
  record: { readonly row: Row; readonly content: Content } | null,
  hasMovedOn: boolean,
  context: Context,
): RemovalPlan {
  if (hasMovedOn || placeOutOfReach(lane.tombstone) !== null) {
    return { removal: { kind: "detach" }, conflicts: [] };
  }
  const planned = planRemoval(lane, record?.content ?? null, context);
  const { mapping } = context;
  const isArchived = record !== null && isSoftDeleted(mapping, record.row);
  if (!isArchived || isArchivedByUs(lane, record.row, mapping)) return planned;
  return { ...planned, removal: { kind: "none" }, recordFirst: true };
}

/** The plan after the app's own `apply` hook should have deleted the record but kept it. */
export function keptByApp(planned: RemovalPlan, archivedAs: string | null): RemovalPlan {
  const removal: RecordRemoval =
    archivedAs === null ? { kind: "detach" } : { kind: "archive", as: archivedAs };
  return { ...planned, removal };
}

/**
 * Ends an inbound delete after its removal. A deleted record is detached from the lane. A kept record stays with the
 * tombstone, so that its later edits are not sent as a new resource.
 */
export function concludeRemoval(
  start: Transition,
  event: TandemEvent,
  planned: RemovalPlan,
  context: Context,
): Transition {
  const { tombstone } = start.lane;
  const hasLeft = placeOutOfReach(tombstone) !== null && planned.removal.kind === "detach";
  const reason = {
    none: "nothing_to_delete",
    delete: "deleted_record",
    archive: "archived_record",
    detach: "detached",
  } as const;
  const { removal } = planned;
  const isRecordFirst = planned.recordFirst === true && tombstone?.record === "present";
  const removed = withLane(endFailedWrites(start, event, context), {
    attempt: null,
    returned: null,
    ...(removal.kind === "delete" ? { recordId: null, base: null } : {}),
    ...(removal.kind === "archive" ? { archivedAs: removal.as } : {}),
    ...(isRecordFirst ? { tombstone: { ...tombstone, record: "deleted" } } : {}),
  });
  return move(removed, event.id, "completed", context.now, {
    reason: hasLeft ? "moved_away" : reason[planned.removal.kind],
    conflicts: withConflicts(event, planned.conflicts),
    error: null,
  });
}

/** Ends errored outbound writes: the resource is deleted, so a retry has nothing to write to. */
function endFailedWrites(start: Transition, deletion: TandemEvent, context: Context): Transition {
  return liveEvents(start.lane, "errored", "outbound")
    .filter((event) => event.action === "upsert")
    .reduce(
      (transition, event) =>
        move(transition, event.id, "ignored", context.now, {
          reason: "tombstoned",
          ignoredFor: { id: deletion.id, type: "events" },
        }),
      start,
    );
}

/** The record's values that the resource does not have yet. */
export function unsentOf(lane: Lane, record: Content, context: Context): Content {
  return unsent({
    fields: plannedFields(context.mapping),
    base: lane.base,
    record,
    recordChangedAt: lane.recordChangedAt,
    clockOffset: context.clockOffset,
    resolution: context.mapping.resource.resolution,
    identity: context.identity,
    conflict: context.mapping.conflict,
    initial: context.mapping.initial,
  });
}

function sameContentAs(record: Content, lane: Lane, context: Context): boolean {
  return Object.keys(unsentOf(lane, record, context)).length === 0;
}
