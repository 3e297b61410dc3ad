/**
 * The one planner. Every comparison of a record with a resource calls `plan`: inbound and outbound events,
 * answers, re-reads, backfill, sweeps and dry runs.
 *
 * 1. Both sides are in the resource's terms and canonical. A side has changed if it differs from base.
 * 2. Base becomes the resource's content, whichever side wins. Record values that then differ are sent.
 * 3. A value that we sent and the resource shows is an echo, not a remote edit.
 * 4. Every value that loses is recorded in `conflicts`.
 */
import {
  type Actor,
  type Content,
  type FieldKind,
  isActor,
  isStringArray,
  type Json,
  sameValue,
} from "../../model/content.ts";
import type { Conflict } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { ConflictPolicy, InitialPolicy } from "../../model/mapping.ts";
import { isLater, isUnsaid, laterSide, type Times } from "./later-side.ts";
import { isBesideOurs, mergeSet, withOurChanges } from "../lane/index.ts";

export interface PlannedField {
  readonly name: string;
  readonly kind: FieldKind;
  /** `false` for a field that is only read: the record's value is never sent and never counts as changed. */
  readonly writable: boolean;
  /** The value of a new resource in a field that its create cannot carry. */
  readonly createdAs?: Json;
}

/** Values that we sent and that the resource's content may therefore show. */
export interface SentValues {
  /** Sent by the request whose answer is being merged. */
  readonly answered: Content | null;
  /** Sent with an unknown outcome, which this content of the resource settles. */
  readonly unknown: Content | null;
  /** Never answered, and no content has shown their outcome: they may have taken effect since. */
  readonly unanswered: readonly Content[];
  /** The resource changed when none of `unanswered` could take effect any more: its values may be remote edits. */
  readonly changedSince: boolean;
  /** Sets that were sent and are shown only in part: the provider may have dropped the rest. */
  readonly parts: Readonly<Record<string, SetParts>>;
  /** When each field was last sent, by our clock, and with which value, as far as that is remembered. */
  readonly left: Readonly<Record<string, { readonly at: Instant; readonly value?: Json }>>;
}

export interface SetParts {
  readonly there: readonly string[];
  readonly missing: readonly string[];
}

export interface PlanInput extends Times {
  readonly fields: readonly PlannedField[];
  readonly base: Content | null;
  /** `null`: the record does not exist yet. */
  readonly record: Content | null;
  /** The resource's content; an absent field was not seen. */
  readonly resource: Content;
  readonly sent: SentValues;
  /** The actor as which our account acts at the integration; `null` if that is unknown. */
  readonly identity: Actor | null;
  readonly conflict: ConflictPolicy;
  readonly initial: InitialPolicy;
}

export interface Plan {
  /** Fields that the record takes. */
  readonly toRecord: Content;
  /** Fields to send to the resource by a later request. */
  readonly toResource: Content;
  /** Base after the merge. */
  readonly base: Content;
  readonly conflicts: readonly Conflict[];
  /** `lost`: every change of the resource lost to the record. */
  readonly outcome: "created" | "updated" | "agreed" | "lost";
}

export const NOTHING_SENT: SentValues = {
  answered: null,
  unknown: null,
  unanswered: [],
  changedSince: false,
  parts: {},
  left: {},
};

/** The merge of one field: the values of record and base that result, and the conflict if one side lost. */
interface Merged {
  readonly record: Json | undefined;
  readonly base: Json | undefined;
  readonly conflict?: Conflict;
  /** The resource had a change in this field that is no echo. */
  readonly news: boolean;
}

/**
 * Plans the merge of a resource's content with its record.
 *
 * @example
 * plan({ base: { title: "A" }, record: { title: "A" }, resource: { title: "B" }, ... })
 * // { toRecord: { title: "B" }, toResource: {}, base: { title: "B" }, outcome: "updated", ... }
 */
export function plan(input: PlanInput): Plan {
  const merge = input.conflict === "record" ? mergeWholeRecord(input) : mergeField;
  const toRecord: Record<string, Json> = {};
  const toResource: Record<string, Json> = {};
  const base: Record<string, Json> = { ...input.base };
  const conflicts: Conflict[] = [];
  let news = 0;
  let lost = 0;
  for (const field of input.fields) {
    const merged = merge(field, input);
    const before = input.record?.[field.name];
    if (merged.base !== undefined) base[field.name] = merged.base;
    if (merged.record !== undefined && !sameValue(merged.record, before) && merged.news) {
      toRecord[field.name] = merged.record;
    }
    if (field.writable && merged.record !== undefined && !sameValue(merged.record, merged.base)) {
      toResource[field.name] = merged.record;
    }
    if (merged.conflict !== undefined) conflicts.push(merged.conflict);
    if (merged.news) news += 1;
    if (merged.news && merged.conflict?.winner === "record") lost += 1;
  }
  if (input.conflict === "record" && Object.keys(toResource).length > 0) {
    sendEveryField(input, toRecord, toResource);
  }
  const outcome =
    input.record === null
      ? "created"
      : Object.keys(toRecord).length > 0
        ? "updated"
        : news > 0 && lost === news
          ? "lost"
          : "agreed";
  return { toRecord, toResource, base, conflicts, outcome };
}

/** The record's values that differ from base, to send in an outbound event. */
export function unsent(input: Omit<PlanInput, "resource" | "resourceAt" | "sent">): Content {
  return plan({ ...input, resource: {}, resourceAt: null, sent: NOTHING_SENT }).toResource;
}

function mergeField(field: PlannedField, input: PlanInput): Merged {
  const { name } = field;
  const seen = input.resource[name];
  const base = input.base?.[name];
  const record = recordSide(field, input);
  if (seen === undefined) return { record, base, news: false };
  if (input.record === null) return { record: seen, base: seen, news: true };

  const own = mergeOwnValue(field, input, seen, base, record);
  if (own !== null) return own;
  if (input.base === null && wasSent(input)) return mergeCreated(field, input, seen, record);
  // Our account also posts in place of authors, so it being the author does not tell who wrote the record.
  if (base === undefined && isByUs(seen, input)) return { record, base: seen, news: false };
  if (base === undefined) return mergeFirst(field, input, seen, record);
  if (sameValue(seen, base)) return { record, base, news: false };
  if (field.kind === "set") {
    const ours = input.sent.answered?.[name] ?? input.sent.unknown?.[name];
    const before = withOurChanges(base, ours, seen);
    const late = input.sent.unanswered.reduce(
      (set, values) => withOurChanges(set, values[name], seen),
      before,
    );
    return settleLateSet(
      name,
      input,
      mergeSet(late, record, seen),
      mergeSet(before, record, seen),
      seen,
    );
  }

  const changedLocally = !sameValue(record, base) || input.sent.unknown?.[name] !== undefined;
  if (!changedLocally) return takeTheirs(name, input, record, seen);
  if (sameValue(record, seen)) return { record, base: seen, news: true };
  const winner = winnerOf(name, input);
  return resolveField(name, winner, record, seen, "both_changed");
}

/** The record's value. A field that is only read never counts as changed by the record. */
function recordSide(field: PlannedField, input: PlanInput): Json | undefined {
  if (field.writable) return input.record?.[field.name];
  return input.base?.[field.name];
}

/** The merge of a value that we sent: base takes it, the record keeps its present one. `null` if it is not ours. */
function mergeOwnValue(
  field: PlannedField,
  { sent }: PlanInput,
  seen: Json,
  base: Json | undefined,
  record: Json | undefined,
): Merged | null {
  const { name } = field;
  const answered = sent.answered?.[name];
  if (answered !== undefined) {
    const untouched = sameValue(record, answered);
    if (field.kind === "set" && isBesideOurs(answered, seen, base, untouched)) return null;
    if (sameValue(seen, answered) || !untouched) return { record, base: seen, news: false };
    return resolveField(name, "resource", record, seen, "provider_changed_our_value");
  }
  const unknown = sent.unknown?.[name];
  if (unknown !== undefined && sameValue(seen, unknown)) return { record, base: seen, news: false };
  const late = !sent.changedSince && saysUnanswered(name, sent, seen);
  if (!late || sameValue(seen, base)) return null;
  if (sameValue(record, seen)) return { record, base: seen, news: false };
  return resolveField(name, "record", record, seen, "late_write");
}

function saysUnanswered(name: string, { unanswered }: SentValues, seen: Json): boolean {
  return unanswered.some((values) => {
    const value = values[name];
    return value !== undefined && sameValue(seen, value);
  });
}

/**
 * Merges a field that only the resource changed. The record's value is a conflict if a late write of ours may have
 * made the change, or if the value was never sent: the author of the remote edit may not have seen it.
 */
function takeTheirs(name: string, input: PlanInput, record: Json | undefined, seen: Json): Merged {
  if (!sameValue(record, seen)) {
    const { sent } = input;
    if (saysUnanswered(name, sent, seen)) {
      return resolveField(name, "resource", record, seen, "perhaps_late_write");
    }
    const left = sent.left[name];
    const leftElse = left?.value !== undefined && !sameValue(left.value, record);
    if (isUnsaid(name, input, leftElse ? undefined : left?.at)) {
      return resolveField(name, "resource", record, seen, "agreed_before");
    }
  }
  return { record: seen, base: seen, news: true };
}

/**
 * Merges a set that a late write of ours may have changed. A change that looks like ours may be a person's. If the
 * resource changed after our write expired, the change counts as remote. The loss is recorded in both cases.
 */
function settleLateSet(
  name: string,
  { sent }: PlanInput,
  ours: Json,
  theirs: Json,
  seen: Json,
): Merged {
  if (sameValue(ours, theirs)) return { record: ours, base: seen, news: true };
  return sent.changedSince
    ? { ...resolveField(name, "resource", ours, theirs, "perhaps_late_write"), base: seen }
    : resolveField(name, "record", ours, seen, "late_write");
}

function wasSent({ sent }: PlanInput): boolean {
  return sent.answered !== null || sent.unknown !== null;
}

/**
 * Merges a resource that we created and have no base for yet: the values that we sent take the place of base. A
 * field that a create cannot carry (a closed state) keeps the record's value, to be sent next. If the field was
 * changed at the resource since, it is merged.
 */
function mergeCreated(
  field: PlannedField,
  input: PlanInput,
  seen: Json,
  record: Json | undefined,
): Merged {
  if (!field.writable) {
    // Our account is the author of the resource that we created, which does not tell who wrote the record.
    const kept = field.kind === "actor";
    return { record: kept ? record : seen, base: seen, news: !kept };
  }
  const sent = input.sent.unknown?.[field.name];
  if (sent === undefined && field.kind === "set" && record !== undefined) {
    return mergeDropped(field.name, input, seen, record);
  }
  const made = sent ?? field.createdAs;
  if (made === undefined || record === undefined) return { record, base: seen, news: false };
  if (sent === undefined && sameValue(seen, made)) return { record, base: seen, news: false };
  if (sameValue(record, made) && !mayBeOlder(field.name, input.sent, made)) {
    return { record: seen, base: seen, news: true };
  }
  if (sameValue(record, seen)) return { record, base: seen, news: true };
  return resolveField(field.name, winnerOf(field.name, input), record, seen, "both_changed");
}

/** Whether an older create may have made the resource: a person who edited it did not see the values sent later. */
function mayBeOlder(name: string, { unanswered }: SentValues, sent: Json): boolean {
  return unanswered.some((values) => {
    const older = values[name];
    return older !== undefined && !sameValue(older, sent);
  });
}

/**
 * Merges a set of a new resource that was not sent, or of which the provider dropped elements. Elements that are
 * not ours were added by others, and missing ones are sent next. If only some of ours are shown, a person may have
 * removed the others, which is recorded as a conflict.
 */
function mergeDropped(name: string, { sent }: PlanInput, seen: Json, record: Json): Merged {
  const { there = [], missing = [] } = sent.parts[name] ?? {};
  const merged = mergeSet(there, record, seen);
  const isBack = isStringArray(merged) && missing.some((item) => merged.includes(item));
  return isBack && there.length > 0 && sent.answered === null
    ? resolveField(name, "record", merged, seen, "both_changed")
    : { record: merged, base: seen, news: true };
}

function isByUs(seen: Json, { identity }: PlanInput): boolean {
  return isActor(seen) && seen.id === identity?.id;
}

/** Merges a field of an existing record and an existing resource that are paired for the first time: no base. */
function mergeFirst(
  field: PlannedField,
  input: PlanInput,
  seen: Json,
  record: Json | undefined,
): Merged {
  const winner = input.initial === "newer" ? laterSide(field.name, input) : input.initial;
  const mine = field.writable ? record : input.record?.[field.name];
  if (sameValue(mine, seen)) return { record: mine, base: seen, news: false };
  const empty = mine === undefined || (mine === null && !field.writable);
  if (!empty) return resolveField(field.name, winner, mine, seen, "initial_pairing");
  return { record: winner === "record" ? mine : seen, base: seen, news: winner === "resource" };
}

function resolveField(
  field: string,
  winner: "record" | "resource",
  record: Json | undefined,
  seen: Json,
  why: Conflict["why"],
): Merged {
  const mine = record ?? null;
  const [kept, lost] = winner === "record" ? [mine, seen] : [seen, mine];
  return { record: kept, base: seen, news: true, conflict: { field, winner, kept, lost, why } };
}

function winnerOf(field: string, input: PlanInput): "record" | "resource" {
  if (input.conflict === "resource-wins") return "resource";
  if (input.conflict === "record-wins") return "record";
  return laterSide(field, input);
}

/**
 * The policy `record`: if both sides have changes, the later side wins all fields. A record without unsent changes
 * always takes the resource's changes, because it has nothing to lose.
 */
function mergeWholeRecord(input: PlanInput): typeof mergeField {
  const { base, record, sent } = input;
  if (base === null || record === null) return mergeField;
  const isUnsent = ({ name, writable }: PlannedField) =>
    writable && (!sameValue(record[name], base[name]) || sent.unknown?.[name] !== undefined);
  const isNews = (field: PlannedField) => {
    // The record cannot compete for a field that is only read, so its news must not cost unsent edits.
    if (!field.writable) return false;
    const seen = input.resource[field.name];
    const before = base[field.name];
    if (seen === undefined || before === undefined || sameValue(seen, before)) return false;
    // Changes of others to a set, beside ours, take nothing from the record.
    if (field.kind === "set" && sent.answered?.[field.name] !== undefined) return false;
    return mergeOwnValue(field, input, seen, before, recordSide(field, input)) === null;
  };
  if (!input.fields.some(isUnsent) || !input.fields.some(isNews)) return mergeField;

  const changedAt = input.fields.map(({ name }) => input.recordChangedAt[name]);
  const recordWins = changedAt.some((at) => isLater(at, input));
  return (field) => {
    const seen = input.resource[field.name];
    const mine = recordSide(field, input);
    if (seen === undefined || !field.writable) return mergeField(field, input);
    if (sameValue(mine, seen)) return { record: mine, base: seen, news: isNews(field) };
    if (recordWins) {
      if (!isNews(field)) return mergeField(field, input);
      return resolveField(field.name, "record", mine, seen, "record_is_newer");
    }
    if (!isUnsent(field)) return mergeField(field, input);
    return resolveField(field.name, "resource", mine, seen, "both_changed");
  };
}

function sendEveryField(
  input: PlanInput,
  toRecord: Content,
  toResource: Record<string, Json>,
): void {
  for (const { name, writable } of input.fields) {
    const value = toResource[name] ?? toRecord[name] ?? input.record?.[name];
    if (writable && value !== undefined) toResource[name] = value;
  }
}
