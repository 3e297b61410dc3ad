/** The next step of an outbound event, and how the event ends. */
import { type Content, pick, type SetChanges } from "../../model/content.ts";
import type { FieldChange, TandemEvent } from "../../model/event.ts";
import type { Attempt, Lane, Transition } from "../../model/lane.ts";
import type { ResourceRef } from "../../model/observation.ts";
import { placeOutOfReach } from "../../model/tombstone.ts";
import { awaitVisible } from "./absent-row.ts";
import {
  changesSent,
  type Context,
  endedReason,
  hasTaken,
  liveEvents,
  move,
  postpone,
  removalReason,
  sentShortlyBefore,
  splitSets,
  trust,
  type Trust,
  trustWrite,
  withConflicts,
  withLane,
} from "../lane/index.ts";
import {
  attributed,
  BY_ACCOUNT,
  closeIntent,
  creationValues,
  post,
  reasonOfCreate,
  saidOf,
  sentByCreates,
  signed,
  type Writer,
  writtenBy,
} from "../creates/index.ts";
import { type EndedParent, endForEndedParent, nextLookAt, unsentOf } from "./inbound.ts";
import {
  awaitReads,
  changesOf,
  concludeMerge,
  contested,
  noteTurn,
  type Plan,
  quarantine,
  queueUnsent,
  type RecordAfter,
  type ObservedState,
} from "../merge/index.ts";
import { closingValues, removalOf } from "./removal.ts";

/** The parent's resource: `none` if the type has no parent, `null` if the parent's resource has no id yet. */
export type ParentState = "none" | ResourceRef | null | EndedParent;

export type OutboundStep =
  /** The event ended or was requeued; no request follows. */
  | { readonly kind: "settled"; readonly transition: Transition }
  /** The outcome of an earlier request is unknown: read the resource first. */
  | { readonly kind: "reread"; readonly ref: ResourceRef }
  /** A write follows, and the content that it would overwrite must be read first. */
  | { readonly kind: "read"; readonly ref: ResourceRef; readonly validator: string | null }
  /** An earlier create may have taken effect: find its resource by the token, or by the values sent, first. */
  | {
      readonly kind: "find";
      readonly token: string;
      readonly sent: readonly Content[];
      readonly parent: ResourceRef | null;
    }
  /** A create follows: ask the app for a token of its author first. */
  | { readonly kind: "ask_author" }
  | {
      readonly kind: "request";
      readonly transition: Transition;
      readonly request: OutboundRequest;
    };

export type OutboundRequest =
  | {
      readonly kind: "create";
      readonly values: Content;
      /** `null` if the values leave no room for it. */
      readonly token: string | null;
      readonly parent: ResourceRef | null;
      readonly writer: Writer;
    }
  | {
      readonly kind: "patch";
      readonly ref: ResourceRef;
      /** Fields that take a value as it is. */
      readonly values: Content;
      /** Elements to add to and remove from sets, so that changes by others stay. */
      readonly sets: SetChanges;
      readonly token: string | null;
    }
  | { readonly kind: "delete" | "close"; readonly ref: ResourceRef };

export interface OutboundView {
  /** The record in the resource's terms; `null` if the row is absent. */
  readonly record: Content | null;
  /** Whether an absent row may only be hidden from Tandem. Default: `false`, the row is deleted. */
  readonly hidden?: boolean;
  readonly parent: ParentState;
  /** A fresh random token, used if a create begins. */
  readonly token: string;
  /** The attribution line that names the author of a post. Default: none. */
  readonly attribution?: string | null;
  /** The writer of a create; `null` if the app was not asked for the author's token yet. Default: the account. */
  readonly writer?: Writer | null;
  /** Whether this worker has read the resource since its claim, which settles an unknown outcome too. */
  readonly looked: boolean;
}

/** Decides the next step of a claimed outbound event from the present record and base. */
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
        reason: endedReason(lane.tombstone),
        ignoredFor: { id: lane.tombstone.event, type: "events" },
      }),
    );
  }
  if (event.action === "delete" && lane.tombstone === null) {
    return settled(endTakenBack(start, event, context));
  }
  if (event.action === "upsert" && view.record === null) {
    if (view.hidden === true) return settled(awaitVisible(start, event, context));
    return settled(
      move(start, event.id, "completed", context.now, { reason: "record_missing", error: null }),
    );
  }
  const answer: Trust = view.looked ? { kind: "trusted" } : trust(lane, event);
  if (answer.kind !== "trusted") {
    if (lane.externalId !== null) {
      const waiting = awaitReads(start, event, answer, context);
      if (waiting !== null) return settled(waiting);
      return { kind: "reread", ref: refOf(lane, lane.externalId) };
    }
    if (lane.intent !== null) {
      return {
        kind: "find",
        token: lane.intent.token,
        sent: sentByCreates(lane),
        parent: resourceOfParent(view.parent),
      };
    }
  }
  if (event.action === "delete" || view.record === null) {
    return stepRemoval(start, event, view.looked, context);
  }
  if (lane.externalId === null) return stepCreate(start, event, view.record, view, context);

  const values = unsentOf(lane, view.record, context);
  if (Object.keys(values).length === 0) {
    // A read that found our own write in effect has set the reason already.
    const reason = event.reason === "being_processed" ? "nothing_to_send" : event.reason;
    return settled(move(start, event.id, "completed", context.now, { reason, error: null }));
  }
  const noted = noteTurn(lane, "record", values, context);
  const field = contested(noted, context);
  if (field !== null) return settled(quarantine(start, event, field, values, context));
  const ref = refOf(lane, lane.externalId);
  const known = trustWrite(lane, "patch", view.looked, context);
  if (known.kind === "read") return { kind: "read", ref, validator: known.validator };
  if (known.kind === "wait") {
    const details = { reason: "reread_needed", runAt: context.now } as const;
    return settled(postpone(start, event, context.now, details));
  }
  const { sets, others } = splitSets(lane.base, values);
  return {
    kind: "request",
    transition: sending(withLane(start, { flips: noted.flips }), event, "patch", values, context),
    request: {
      kind: "patch",
      ref,
      values: signed(lane, others, view.attribution ?? null, context.mapping),
      sets,
      token: lane.intent?.token ?? null,
    },
  };
}

/** Ends a deletion whose record was restored meanwhile: its remaining steps must not be carried out. */
function endTakenBack(start: Transition, event: TandemEvent, context: Context): Transition {
  const [newer] = liveEvents(start.lane, "queued", "outbound");
  return move(start, event.id, "ignored", context.now, {
    reason: "superseded",
    ignoredFor: newer === undefined ? null : { id: newer.id, type: "events" },
    error: null,
  });
}

function resourceOfParent(parent: ParentState): ResourceRef | null {
  return parent === null || parent === "none" || "ended" in parent ? null : parent;
}

function stepCreate(
  start: Transition,
  event: TandemEvent,
  record: Content,
  view: OutboundView,
  context: Context,
): OutboundStep {
  const { parent, writer: asked = BY_ACCOUNT } = view;
  if (parent !== null && parent !== "none" && "ended" in parent) {
    return { kind: "settled", transition: endForEndedParent(start, event, parent, context) };
  }
  if (parent === null) {
    return {
      kind: "settled",
      transition: postpone(start, event, context.now, {
        reason: "awaiting_parent",
        runAt: nextLookAt(event, context.now),
      }),
    };
  }
  const values = creationValues(context.mapping, record);
  const begun = start.lane.intent ?? { token: view.token, since: context.now, tokenless: false };
  const carried = context.mapping.resource.carriesToken(values, begun.token);
  // Without the token only the author tells that a resource may be ours, so the account must be the author.
  const writer = carried ? asked : BY_ACCOUNT;
  if (writer === null) return { kind: "ask_author" };
  const said = saidOf(values, context.mapping);
  const open = { ...begun, tokenless: begun.tokenless || !carried };
  const intent = post(open, writer, said, context.now);
  const noted = writtenBy(writer);
  const line = carried && writer.kind === "account" ? (view.attribution ?? null) : null;
  return {
    kind: "request",
    transition: sending(withLane(start, { intent }), event, "create", values, context, noted),
    request: {
      kind: "create",
      values: attributed(values, intent.token, line, context.mapping),
      token: carried ? intent.token : null,
      parent: parent === "none" ? null : parent,
      writer,
    },
  };
}

/** The next step of a removal. It reads first what it would replace, so that unread edits become conflicts. */
function stepRemoval(
  start: Transition,
  event: TandemEvent,
  looked: boolean,
  context: Context,
): OutboundStep {
  const { lane } = start;
  const kind = removalOf(lane, context.mapping);
  const isAway = placeOutOfReach(lane.tombstone) !== null;
  if (lane.externalId === null || kind === "detach" || isAway) {
    const settled = { lane: closeIntent(lane), ended: start.ended };
    const done = lane.externalId === null ? "nothing_to_send" : isAway ? "moved_away" : "detached";
    return {
      kind: "settled",
      transition: move(settled, event.id, "completed", context.now, {
        reason: removalReason(lane, done),
        error: null,
      }),
    };
  }
  const ref = refOf(lane, lane.externalId);
  const values = kind === "close" ? closingValues(context.mapping) : {};
  const known = trustWrite(lane, kind, looked, context);
  if (known.kind === "read") return { kind: "read", ref, validator: known.validator };
  return {
    kind: "request",
    transition: sending(start, event, kind, values, context),
    request: { kind, ref },
  };
}

/**
 * Notes an attempt before its request is sent, so that the next worker knows of the open outcome. An earlier attempt
 * that is still open was read back and not found; it may take effect yet, so it is kept as unanswered.
 */
function sending(
  { lane, ended }: Transition,
  event: TandemEvent,
  kind: Attempt["kind"],
  values: Content,
  context: Context,
  noted: ReturnType<typeof writtenBy> = {},
): Transition {
  const attempt: Attempt = {
    ...noted,
    event: event.id,
    kind,
    values,
    base: pick(lane.base ?? {}, Object.keys(values)),
    clockAt: lane.clock?.at ?? null,
    sentAt: context.now,
    epoch: event.epoch,
  };
  const open = lane.attempt;
  const mayLand = open !== null && open.kind !== "delete";
  const unanswered = mayLand ? [...lane.unanswered, open] : lane.unanswered;
  const lastSent = { ...attempt, earlier: sentShortlyBefore(lane, context.now) };
  return withLane({ lane, ended }, { attempt, lastSent, unanswered });
}

/** Ends an outbound upsert with the resource that answered it. */
export function concludeAnswer(
  start: Transition,
  event: TandemEvent,
  observed: ObservedState,
  merged: Plan,
  record: { readonly before: Content | null; readonly after: RecordAfter | null },
  context: Context,
): Transition {
  const { attempt } = start.lane;
  const concluded = concludeMerge(start, event, observed, merged, record.after, context);
  const ended = move(concluded, event.id, "completed", context.now, {
    reason: attempt?.kind === "create" ? reasonOfCreate(attempt) : "updated_resource",
    externalId: concluded.lane.externalId,
    recordId: concluded.lane.recordId,
    updatedAt: observed.at,
    content: attempt?.values ?? null,
    changes: [...changesSent(attempt), ...changesOf(merged, record.before)],
    conflicts: withConflicts(event, merged.conflicts),
    error: null,
  });
  return queueUnsent(ended, differsFrom(concluded.lane, record.after, context), context);
}

/** Merges the read that settled an unknown outcome; the event continues afterwards. */
export function concludeLook(
  start: Transition,
  event: TandemEvent,
  observed: ObservedState,
  merged: Plan,
  record: { readonly before: Content | null; readonly after: RecordAfter | null },
  context: Context,
): Transition {
  const { attempt, externalId } = start.lane;
  const concluded = concludeMerge(start, event, observed, merged, record.after, context);
  const found = start.lane.base === null;
  const landed = found || attempt?.event === event.id ? changesSeen(attempt, observed.content) : [];
  return move(concluded, event.id, "processing", context.now, {
    reason: found ? "adopted_resource" : landed.length > 0 ? "updated_resource" : event.reason,
    externalId,
    updatedAt: observed.at,
    reread: false,
    restores: false,
    changes: [...event.changes, ...landed, ...changesOf(merged, record.before)],
    conflicts: withConflicts(event, merged.conflicts),
  });
}

/** The changes of an attempt that the resource shows. */
function changesSeen(attempt: Attempt | null, content: Content): readonly FieldChange[] {
  return changesSent(attempt).filter(({ field, from, to }) => hasTaken(content[field], from, to));
}

/** The resource of a lane whose id is known. */
export function refOf(lane: Lane, externalId: string): ResourceRef {
  return { type: lane.resourceType, externalId };
}

function differsFrom(lane: Lane, record: RecordAfter | null, context: Context): boolean {
  return record !== null && Object.keys(unsentOf(lane, record.content, context)).length > 0;
}
