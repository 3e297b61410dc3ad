/**
 * Merging an observation of the resource into a lane: `planMerge` first, `concludeMerge` after the record was
 * written. Inbound events, answers and re-reads all use this path.
 */
import {
  addEvent,
  contentOf,
  type Context,
  hasTaken,
  isByAuthor,
  lastWrites,
  observe,
  liveEvents,
  newEvent,
  nextWriteAt,
  outboundOff,
  ownTime,
  paceWaiting,
  REMEMBER_MS,
  withLane,
} from "../lane/index.ts";
import { canonical, type Content, isStringArray, pick, sameValue } from "../../model/content.ts";
import type { FieldChange, TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Attempt, Lane, Transition } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import { type Plan, plan, type SentValues } from "./plan.ts";
import { newsOf, noteTurn } from "./quarantine.ts";
import { plannedFields } from "./translate-record.ts";

/** The resource's content that a merge uses, and its origin. */
export interface ObservedState {
  /** Mapped content; fields that were not seen are filled from the known content. */
  readonly content: Content;
  /** Everything seen, for the cached copy. */
  readonly copy: Content;
  readonly at: Instant;
  /** A payload became known at its admission; a read or an answer becomes known at the merge. */
  readonly from: "payload" | "reread" | "answer";
  /** The validator with which a later conditional read may be answered "unchanged"; a payload has none. */
  readonly validator?: string | undefined;
}

/** The content of an event, which may be merged without a read because nothing is in doubt. */
export function observedInPayload(event: TandemEvent, { mapping, now }: Context): ObservedState {
  const content = event.content ?? {};
  return {
    content,
    copy: canonical(content, mapping.resource.fields),
    at: event.updatedAt ?? now,
    from: "payload",
  };
}

/** The content of a read or an answer. */
export function observedState(
  lane: Lane,
  observation: Observation,
  from: "reread" | "answer",
  context: Context,
): ObservedState {
  // A field that the answer does not show has the value that we sent.
  const sent = from === "answer" ? lane.attempt?.values : undefined;
  const unseen = pick(sent ?? {}, unseenFields(sent ?? {}, observation));
  return {
    content: { ...contentOf(lane, observation, context), ...unseen },
    copy: canonical(observation.content ?? {}, context.mapping.resource.fields),
    at: observation.updatedAt,
    from,
    validator: observation.validator,
  };
}

function unseenFields(sent: Content, { content }: Observation): readonly string[] {
  return Object.keys(sent).filter((field) => content?.[field] === undefined);
}

/** Plans the merge of the resource's content into the record's present content. */
export function planMerge(
  lane: Lane,
  observed: ObservedState,
  record: Content | null,
  context: Context,
): Plan {
  const planned = plan({
    fields: plannedFields(context.mapping),
    base: lane.base,
    record,
    resource: observed.content,
    resourceAt: observed.at,
    sent: sentValues(lane, observed, context),
    identity: context.identity,
    recordChangedAt: lane.recordChangedAt,
    clockOffset: context.clockOffset,
    resolution: context.mapping.resource.resolution,
    conflict: context.mapping.conflict,
    initial: context.mapping.initial,
  });
  // A paired record that is missing counts as deleted, so the merge must not create it again.
  const missing = record === null && lane.recordId !== null;
  return missing ? { ...planned, toRecord: {}, toResource: {}, outcome: "agreed" } : planned;
}

function sentValues(
  lane: Lane,
  observed: ObservedState,
  { mapping, clockOffset }: Context,
): SentValues {
  const sent = lane.attempt?.values ?? createdWith(lane);
  const mayBeDropped = lane.base === null && isByAuthor(lane.intent);
  const parts = sent !== null && mayBeDropped ? partsOf(sent, observed, mapping) : {};
  const whole = Object.keys(sent ?? {}).filter((field) => parts[field] === undefined);
  const values = sent === null ? null : pick(sent, whole);
  const late = lane.unanswered.filter(({ kind }) => kind !== "create" || lane.base === null);
  return {
    parts,
    answered: observed.from === "answer" ? values : null,
    unknown: observed.from === "answer" ? null : values,
    unanswered: late.map((one) => one.values),
    changedSince: late.every((one) => hasExpired(one, ownTime(observed.at, clockOffset))),
    left: leftOf(lane, mapping),
  };
}

/** When each field was last sent, and with which value. A create counts as sending every field of its record. */
function leftOf(lane: Lane, mapping: Mapping): SentValues["left"] {
  const left: Record<string, SentValues["left"][string]> = {};
  for (const { kind, values, sentAt: at } of lastWrites(lane).toReversed()) {
    const fields = kind === "create" ? plannedFields(mapping).map(({ name }) => name) : [];
    for (const field of fields) left[field] = { at };
    for (const [field, value] of Object.entries(values)) left[field] = { at, value };
  }
  return left;
}

/**
 * Sets that the resource shows only in part. A create under a user's token loses the elements that the user may
 * not set (labels, without push access). The missing ones count as not sent, so that the account sends them next.
 */
function partsOf(
  sent: Content,
  { content }: ObservedState,
  { resource }: Mapping,
): SentValues["parts"] {
  const parts = Object.entries(sent).flatMap(([field, value]) => {
    const seen = content[field];
    if (resource.fields[field]?.kind !== "set") return [];
    if (!isStringArray(value) || !isStringArray(seen)) return [];
    const there = value.filter((item) => seen.includes(item));
    const missing = value.filter((item) => !seen.includes(item));
    return missing.length === 0 ? [] : [[field, { there, missing }] as const];
  });
  return Object.fromEntries(parts);
}

/** The values of a create whose resource was not seen yet. They count as sent even if its last attempt was refused. */
function createdWith({ base, intent, lastSent }: Lane): Content | null {
  return base === null && intent !== null && lastSent?.kind === "create" ? lastSent.values : null;
}

/** The record after the merge was written to it. */
export interface RecordAfter {
  readonly id: string;
  readonly content: Content;
  /** The record is still archived because its resource was taken for deleted, and the app's own code keeps it so. */
  readonly archived?: boolean;
}

/**
 * Saves a merge in the lane: known content, base, cached copy, and the attempt that the content settled. The
 * caller ends the event itself.
 */
export function concludeMerge(
  start: Transition,
  event: TandemEvent,
  observed: ObservedState,
  merged: Plan,
  record: RecordAfter | null,
  context: Context,
): Transition {
  const { content, at, validator } = observed;
  const learned =
    observed.from === "payload"
      ? start
      : observe(
          start,
          { content, at, event: event.id, validator, verified: observed.from === "reread" },
          context.now,
        );
  const lane = noteTurn(learned.lane, "resource", newsOf(learned.lane, merged), context);
  return withLane(learned, {
    flips: lane.flips,
    known: merging(lane.known, event),
    base: merged.base,
    copy: { ...lane.copy, ...observed.copy },
    recordId: record?.id ?? lane.recordId,
    recordChangedAt: stillSaid(lane.recordChangedAt, merged),
    ...(record === null || record.archived === true || lane.tombstone !== null
      ? {}
      : { archivedAs: null, returned: null }),
    ...settleAttempt(lane, observed, context),
  });
}

/** Notes which event base comes from. If it is not the carrier of the known content, that is merged later. */
function merging(known: Lane["known"], { id }: TandemEvent): Lane["known"] {
  if (known === null) return null;
  if (known.event !== id) return { ...known, baseFrom: id };
  const { baseFrom: _, ...merged } = known;
  return merged;
}

/** Removes the change times of fields that the resource replaced: later edits there overwrite no edit of the app. */
function stillSaid(
  changedAt: Lane["recordChangedAt"],
  { base, conflicts, toRecord }: Plan,
): Lane["recordChangedAt"] {
  const named = conflicts.filter(({ why }) => why === "agreed_before").map(({ field }) => field);
  const taken = Object.keys(toRecord).filter((field) => sameValue(toRecord[field], base[field]));
  const gone = new Set([...named, ...taken]);
  if (gone.size === 0) return changedAt;
  return Object.fromEntries(Object.entries(changedAt).filter(([field]) => !gone.has(field)));
}

/**
 * Settles the open attempt with an answer or a read. An attempt whose effect the read does not show may still take
 * effect, so it is kept as unanswered until content from after its expiry is seen.
 */
function settleAttempt(
  { attempt, lastSent, unanswered }: Lane,
  observed: ObservedState,
  { now, clockOffset }: Context,
): Pick<Lane, "attempt" | "lastSent" | "unanswered"> {
  // A payload shows the resource at the payload's own time, and may arrive much later.
  const shownAt = observed.from === "payload" ? ownTime(observed.at, clockOffset) : now;
  const open = unanswered.filter((one) => !hasExpired(one, shownAt));
  if (attempt === null || observed.from === "payload") {
    return { attempt, lastSent, unanswered: open };
  }
  const mayLand =
    observed.from === "reread" && attempt.kind !== "create" && !shows(observed, attempt);
  return {
    attempt: null,
    lastSent: lastSent === null ? null : { ...lastSent, settledAt: observed.at },
    unanswered: mayLand ? [...open, attempt] : open,
  };
}

/**
 * Queues an outbound event if record and base differ. Every decision that ends an event must call it, or the
 * record's unsent edits would wait for the next edit. A lane with an outbound event, or a tombstone, needs none.
 */
export function queueUnsent(start: Transition, differs: boolean, context: Context): Transition {
  const { lane } = start;
  if (!differs || lane.tombstone !== null) return start;
  const present = (["queued", "errored", "disabled"] as const).some(
    (state) => liveEvents(lane, state, "outbound").length > 0,
  );
  if (present) return paceWaiting(start, context);
  const off = outboundOff(lane, context);
  const event = newEvent(lane, context, {
    direction: "outbound",
    action: "upsert",
    source: "change",
    runAt: nextWriteAt(lane, context),
  });
  return addEvent(start, off === null ? event : { ...event, state: "disabled", reason: off });
}

/** The changes that a merge made to the record, field by field. */
export function changesOf(merged: Plan, before: Content | null): readonly FieldChange[] {
  return Object.entries(merged.toRecord).map(([field, to]) => ({
    side: "record",
    field,
    from: before?.[field] ?? null,
    to,
  }));
}

/** Whether the resource shows the values of an attempt: it took effect, and an attempt does so only once. */
function shows({ content }: ObservedState, { values, base }: Attempt): boolean {
  return Object.entries(values).every(([field, value]) =>
    hasTaken(content[field], base[field], value),
  );
}

/** Whether an attempt that has not taken effect by that time never will. */
function hasExpired({ sentAt }: Attempt, at: Instant): boolean {
  return at > addMillis(sentAt, REMEMBER_MS);
}
