/** What an outbound event does next, and how it ends. */
import { type Content, pick, sameValue } from "../model/content.ts";
import type { FieldChange, TandemEvent } from "../model/event.ts";
import type { Attempt, Lane, Transition } from "../model/lane.ts";
import { addMillis } from "../model/instant.ts";
import type { ResourceRef } from "../model/observation.ts";
import type { Context } from "./context.ts";
import { sentShortlyBefore } from "./covered.ts";
import { unsentOf, WAIT_MS } from "./inbound.ts";
import { changesOf, concludeMerge, queueUnsent, type RecordAfter, type Sight } from "./merge.ts";
import type { Plan } from "./plan.ts";
import { requeue } from "./start.ts";
import { move, withConflicts, withLane } from "./transition.ts";

/** The parent's resource: `none` where the type has no parent, `null` where it has no id yet. */
export type ParentState = "none" | ResourceRef | null;

export type OutboundStep =
  /** It ended, or went back to wait; there is no request. */
  | { readonly kind: "settled"; readonly transition: Transition }
  /** The outcome of an earlier request is unknown: read the resource first. */
  | { readonly kind: "reread"; readonly ref: ResourceRef }
  /** An earlier create may have landed: look for its token first. */
  | { readonly kind: "find"; readonly token: string }
  | {
      readonly kind: "request";
      readonly transition: Transition;
      readonly request: OutboundRequest;
    };

export type OutboundRequest =
  | {
      readonly kind: "create";
      readonly values: Content;
      readonly token: string;
      readonly parent: ResourceRef | null;
    }
  | {
      readonly kind: "patch";
      readonly ref: ResourceRef;
      readonly values: Content;
      readonly token: string | null;
    }
  | { readonly kind: "delete" | "close"; readonly ref: ResourceRef };

export interface OutboundView {
  /** The record in the resource's terms, or `null` where the row is gone. */
  readonly record: Content | null;
  readonly parent: ParentState;
  /** A fresh random token, used if a create begins. */
  readonly token: string;
  /** Whether the unknown outcome, if any, was looked into by this worker just now. */
  readonly looked: boolean;
}

/** Decides the next step of a claimed outbound event from record and base as they are now. */
export function stepOutbound(
  start: Transition,
  event: TandemEvent,
  view: OutboundView,
  context: Context,
): OutboundStep {
  const { lane } = start;
  const settled = (transition: Transition): OutboundStep => ({ kind: "settled", transition });
  if (event.action === "upsert" && lane.tombstone !== null) {
    return settled(
      move(start, event.id, "ignored", context.now, {
        reason: "tombstoned",
        ignoredFor: { id: lane.tombstone.event, type: "events" },
      }),
    );
  }
  if (event.action === "upsert" && view.record === null) {
    return settled(
      move(start, event.id, "completed", context.now, { reason: "record_missing", error: null }),
    );
  }
  if (lane.externalId === null) {
    if (lane.intent !== null && !view.looked && mayHaveLanded(lane)) {
      return { kind: "find", token: lane.intent.token };
    }
  } else if (event.action === "upsert" && lane.attempt !== null && !view.looked) {
    return { kind: "reread", ref: refOf(lane, lane.externalId) };
  }
  if (event.action === "delete" || view.record === null) return stepRemoval(start, event, context);
  if (lane.externalId === null) return stepCreate(start, event, view.record, view, context);

  const values = unsentOf(lane, view.record, context);
  if (Object.keys(values).length === 0) {
    // A look that found our own write to have landed has said so in the reason.
    const reason = event.reason === "being_processed" ? "nothing_to_send" : event.reason;
    return settled(move(start, event.id, "completed", context.now, { reason, error: null }));
  }
  return {
    kind: "request",
    transition: sending(start, event, "patch", values, context),
    request: {
      kind: "patch",
      ref: refOf(lane, lane.externalId),
      values,
      token: lane.intent?.token ?? null,
    },
  };
}

/** Whether a create was sent and its answer never came. */
function mayHaveLanded({ attempt, unanswered }: Lane): boolean {
  return attempt !== null || unanswered.some(({ kind }) => kind === "create");
}

function stepCreate(
  start: Transition,
  event: TandemEvent,
  record: Content,
  view: OutboundView,
  context: Context,
): OutboundStep {
  if (view.parent === null) {
    return {
      kind: "settled",
      transition: requeue(start, event, context.now, {
        reason: "awaiting_parent",
        attempts: Math.max(0, event.attempts - 1),
        runAt: addMillis(context.now, WAIT_MS),
      }),
    };
  }
  const values: Record<string, Content[string]> = {};
  for (const [name, spec] of Object.entries(context.mapping.resource.fields)) {
    const value = record[name];
    if (spec.writable && spec.settableOnCreate !== false && value !== undefined) {
      values[name] = value;
    }
  }
  const intent = start.lane.intent ?? { token: view.token, since: context.now };
  return {
    kind: "request",
    transition: sending(withLane(start, { intent }), event, "create", values, context),
    request: {
      kind: "create",
      values,
      token: intent.token,
      parent: view.parent === "none" ? null : view.parent,
    },
  };
}

function stepRemoval(start: Transition, event: TandemEvent, context: Context): OutboundStep {
  const { lane } = start;
  const { mapping } = context;
  const wanted = mapping.onRecordDeleted;
  const possible = mapping.resource.removal;
  if (lane.externalId === null || wanted === "detach") {
    return {
      kind: "settled",
      transition: move(start, event.id, "completed", context.now, {
        reason: lane.externalId === null ? "nothing_to_send" : "detached",
        error: null,
      }),
    };
  }
  const kind = possible.includes(wanted) ? wanted : (possible[0] ?? "close");
  return {
    kind: "request",
    transition: sending(start, event, kind, {}, context),
    request: { kind, ref: refOf(lane, lane.externalId) },
  };
}

/**
 * Notes what is sent before it leaves, so that whoever comes next knows the outcome is open. An
 * attempt that is still open was looked for and not found: it may land yet.
 */
function sending(
  { lane, ended }: Transition,
  event: TandemEvent,
  kind: Attempt["kind"],
  values: Content,
  context: Context,
): Transition {
  const attempt: Attempt = {
    event: event.id,
    kind,
    values,
    base: pick(lane.base ?? {}, Object.keys(values)),
    clockAt: lane.clock?.at ?? null,
    sentAt: context.now,
    epoch: event.epoch,
  };
  const open = lane.attempt;
  const mayLand = open?.kind === "create" || open?.kind === "patch";
  const unanswered = mayLand ? [...lane.unanswered, open] : lane.unanswered;
  const lastSent = { ...attempt, earlier: sentShortlyBefore(lane, context.now) };
  return withLane({ lane, ended }, { attempt, lastSent, unanswered });
}

/** Ends an outbound upsert with the resource that answered it. */
export function concludeAnswer(
  start: Transition,
  event: TandemEvent,
  sight: Sight,
  merged: Plan,
  record: { readonly before: Content | null; readonly after: RecordAfter | null },
  context: Context,
): Transition {
  const { attempt } = start.lane;
  const concluded = concludeMerge(start, event, sight, merged, record.after, context);
  const created = attempt?.kind === "create";
  const ended = move(concluded, event.id, "completed", context.now, {
    reason: created ? "created_resource" : "updated_resource",
    externalId: concluded.lane.externalId,
    recordId: concluded.lane.recordId,
    updatedAt: sight.at,
    content: attempt?.values ?? null,
    changes: [...changesSent(attempt), ...changesOf(merged, record.before)],
    conflicts: withConflicts(event, merged.conflicts),
    error: null,
  });
  return queueUnsent(ended, differsFrom(concluded.lane, record.after, context), context);
}

/** Takes the look that settled an unknown outcome; the event goes on afterwards. */
export function concludeLook(
  start: Transition,
  event: TandemEvent,
  sight: Sight,
  merged: Plan,
  record: { readonly before: Content | null; readonly after: RecordAfter | null },
  context: Context,
): Transition {
  const { attempt, externalId } = start.lane;
  const concluded = concludeMerge(start, event, sight, merged, record.after, context);
  const found = attempt?.kind !== "patch";
  const landed = found || attempt.event === event.id ? changesSeen(attempt, sight.content) : [];
  return move(concluded, event.id, "processing", context.now, {
    reason: found ? "adopted_resource" : landed.length > 0 ? "updated_resource" : event.reason,
    externalId,
    updatedAt: sight.at,
    changes: [...event.changes, ...landed, ...changesOf(merged, record.before)],
    conflicts: withConflicts(event, merged.conflicts),
  });
}

/** What we sent and now see at the resource. */
function changesSeen(attempt: Attempt | null, content: Content): readonly FieldChange[] {
  return changesSent(attempt).filter(({ field, to }) => sameValue(content[field], to));
}

function changesSent(attempt: Attempt | null): readonly FieldChange[] {
  return Object.entries(attempt?.values ?? {}).map(([field, to]) => ({
    side: "resource",
    field,
    from: attempt?.base[field] ?? null,
    to,
  }));
}

/** Ends an outbound delete that was carried out, or had nothing left to do. */
export function concludeResourceRemoval(
  start: Transition,
  event: TandemEvent,
  context: Context,
): Transition {
  const closed = start.lane.attempt?.kind === "close";
  const settled = withLane(start, { attempt: null });
  return move(settled, event.id, "completed", context.now, {
    reason: closed ? "closed_resource" : "deleted_resource",
    error: null,
  });
}

/** The resource of a lane whose id is known. */
export function refOf(lane: Lane, externalId: string): ResourceRef {
  return { type: lane.resourceType, externalId };
}

function differsFrom(lane: Lane, record: RecordAfter | null, context: Context): boolean {
  return record !== null && Object.keys(unsentOf(lane, record.content, context)).length > 0;
}
