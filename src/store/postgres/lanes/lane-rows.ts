/** Between a lane and its rows: the narrow one in `lanes`, the wide one in `integration_records`. */
import { isDeepStrictEqual } from "node:util";
import type { Actor, Content } from "../../../model/content.ts";
import type { TandemEvent } from "../../../model/event.ts";
import { connectionId, eventId, laneId } from "../../../model/ids.ts";
import { formatInstant, parseInstant } from "../../../model/instant.ts";
import type {
  Attempt,
  Flip,
  Intent,
  Known,
  Lane,
  OffCause,
  PairingOff,
  Posted,
  PostedAuthor,
  PostedCreates,
} from "../../../model/lane.ts";
import type { LaneSummary } from "../../lanes.ts";
import { textOrNull } from "./event-rows.ts";
import {
  TOMBSTONE_COLUMNS,
  tombstoneFromRow,
  type TombstoneRow,
  tombstoneToRow,
} from "./tombstone-rows.ts";

/** The columns that admission and claims lock and read often. */
export interface LaneRow extends TombstoneRow {
  readonly id: string;
  readonly connection_id: string;
  readonly resource_type: string;
  readonly record_type: string;
  readonly external_id: string | null;
  readonly record_id: string | null;
  readonly parent_type: string | null;
  readonly parent_external_id: string | null;
  readonly clock_at: string | null;
  readonly clock_event: string | null;
  readonly intent_token: string | null;
  readonly intent_since: string | null;
  readonly intent_tokenless: boolean;
  readonly intent_posted: PostedJson | null;
  readonly intent_connection_id: string | null;
  readonly awaiting_intent_until: string | null;
  readonly came_from: string | null;
  readonly archived_as: string | null;
  readonly returned_from: string | null;
  readonly disabled: string | null;
  readonly disabled_cause: OffCause | null;
  readonly epoch: string;
}

/** The columns of a lane's summary. */
export const SUMMARY_COLUMNS = [
  "id",
  "connection_id",
  "resource_type",
  "record_type",
  "external_id",
  "record_id",
  "intent_token",
  "intent_since",
  "intent_tokenless",
  "intent_posted",
  "intent_connection_id",
  ...TOMBSTONE_COLUMNS,
] as const satisfies readonly (keyof LaneRow)[];

export type LaneSummaryRow = Pick<LaneRow, (typeof SUMMARY_COLUMNS)[number]>;

/** The columns of a lane, for statements that name them. */
export const LANE_COLUMNS = [
  ...SUMMARY_COLUMNS,
  "parent_type",
  "parent_external_id",
  "clock_at",
  "clock_event",
  "awaiting_intent_until",
  "came_from",
  "archived_as",
  "returned_from",
  "disabled",
  "disabled_cause",
  "epoch",
] as const satisfies readonly (keyof LaneRow)[];

/** The lane's knowledge of both sides. */
export interface RecordRow {
  readonly id: string;
  readonly copy: Content | null;
  readonly display: Readonly<Record<string, string>>;
  /** `true`: the same as the copy. */
  readonly base: Content | true | null;
  readonly known: KnownJson | null;
  readonly record_changed_at: Readonly<Record<string, string>>;
  readonly attempt: AttemptJson | null;
  readonly unanswered: readonly AttemptJson[];
  readonly last_sent: AttemptJson | null;
  readonly flips: Readonly<Record<string, readonly FlipJson[]>>;
}

export const RECORD_COLUMNS = [
  "id",
  "copy",
  "display",
  "base",
  "known",
  "record_changed_at",
  "attempt",
  "unanswered",
  "last_sent",
  "flips",
] as const satisfies readonly (keyof RecordRow)[];

/** Times within JSON are ISO text, for whoever reads the table. Without content: that of the copy. */
type KnownJson = Omit<Known, "at" | "content"> & {
  readonly at: string;
  readonly content?: Content;
};
type AttemptJson = Omit<Attempt, "clockAt" | "sentAt"> & {
  readonly clockAt: string | null;
  readonly sentAt: string;
};

/**
 * Code from before notes the account's creates too, of authors only who they are, and of the resource
 * only whether one of them wrote it.
 */
export interface PostedJson {
  readonly at: string;
  readonly from?: string;
  readonly account?: PostedCreates;
  readonly authors: readonly (Actor & Partial<PostedAuthor>)[];
  readonly byAuthor: string | boolean | null;
}

type FlipJson = Omit<Flip, "at"> & { readonly at: string };

export function laneSummaryFromRow(row: LaneSummaryRow): LaneSummary {
  return {
    id: laneId(row.id),
    connectionId: connectionId(row.connection_id),
    resourceType: row.resource_type,
    recordType: row.record_type,
    externalId: row.external_id,
    recordId: row.record_id,
    ...tombstoneFromRow(row),
    intent: intentFromRow(row),
  };
}

export function laneFromRows(row: LaneRow, record: RecordRow, live: readonly TandemEvent[]): Lane {
  return {
    ...laneSummaryFromRow(row),
    parent:
      row.parent_type === null || row.parent_external_id === null
        ? null
        : { type: row.parent_type, externalId: row.parent_external_id },
    clock:
      row.clock_at === null || row.clock_event === null
        ? null
        : { at: parseInstant(row.clock_at), event: eventId(row.clock_event) },
    known: knownFromRow(record),
    copy: record.copy,
    display: record.display,
    base: record.base === true ? record.copy : record.base,
    recordChangedAt: mapValues(record.record_changed_at, parseInstant),
    attempt: record.attempt === null ? null : attemptFromJson(record.attempt),
    unanswered: record.unanswered.map(attemptFromJson),
    lastSent: record.last_sent === null ? null : attemptFromJson(record.last_sent),
    awaitingIntent:
      row.awaiting_intent_until === null ? null : parseInstant(row.awaiting_intent_until),
    flips: mapValues(record.flips, (turns) =>
      turns.map((turn) => ({ ...turn, at: parseInstant(turn.at) })),
    ),
    cameFrom: row.came_from,
    archivedAs: row.archived_as,
    returned: row.returned_from === null ? null : eventId(row.returned_from),
    disabled: pairingOffFromRow(row),
    epoch: Number(row.epoch),
    live,
  };
}

/**
 * Code from before the column writes the sentence alone, beside whatever cause stands there: a sentence
 * of its own tells the cause.
 */
export function pairingOffFromRow({
  disabled: why,
  disabled_cause: cause,
}: Pick<LaneRow, "disabled" | "disabled_cause">): PairingOff | null {
  if (why === null) return null;
  const told = BEGINNINGS.find(([beginning]) => why.startsWith(beginning))?.[1];
  return { cause: told ?? cause ?? "unmapped", why };
}

/** How the sentences begin that code from before the column writes. */
const BEGINNINGS: readonly (readonly [string, OffCause])[] = [
  ["quarantined", "quarantined"],
  ["not mapped any more", "unmapped"],
  ["the database was restored", "restored"],
];

export function laneToRow(lane: Lane): LaneRow {
  return {
    id: lane.id,
    connection_id: lane.connectionId,
    resource_type: lane.resourceType,
    record_type: lane.recordType,
    external_id: lane.externalId,
    record_id: lane.recordId,
    parent_type: lane.parent?.type ?? null,
    parent_external_id: lane.parent?.externalId ?? null,
    clock_at: textOrNull(lane.clock?.at ?? null),
    clock_event: lane.clock?.event ?? null,
    ...tombstoneToRow(lane),
    intent_token: lane.intent?.token ?? null,
    intent_since: textOrNull(lane.intent?.since ?? null),
    intent_tokenless: lane.intent?.tokenless ?? false,
    intent_posted: lane.intent?.posted === undefined ? null : postedToJson(lane.intent.posted),
    intent_connection_id: lane.intent?.leftFrom ?? null,
    awaiting_intent_until: textOrNull(lane.awaitingIntent),
    came_from: lane.cameFrom,
    archived_as: lane.archivedAs,
    returned_from: lane.returned,
    disabled: lane.disabled?.why ?? null,
    disabled_cause: lane.disabled?.cause ?? null,
    epoch: String(lane.epoch),
  };
}

export function recordToRow(lane: Lane): RecordRow {
  return {
    id: lane.id,
    copy: lane.copy,
    display: lane.display,
    base: lane.base !== null && isCopy(lane.base, lane) ? true : lane.base,
    known: knownToJson(lane),
    record_changed_at: mapValues(lane.recordChangedAt, formatInstant),
    attempt: lane.attempt === null ? null : attemptToJson(lane.attempt),
    unanswered: lane.unanswered.map(attemptToJson),
    last_sent: lane.lastSent === null ? null : attemptToJson(lane.lastSent),
    flips: mapValues(lane.flips, (turns) =>
      turns.map((turn) => ({ ...turn, at: formatInstant(turn.at) })),
    ),
  };
}

/** The parts of the wide row that differ, each as it is to be written. */
export function changedParts(before: Lane, after: Lane): Partial<Omit<RecordRow, "id">> {
  // Nothing of it was touched: the very same objects.
  if (FIELDS.every((field) => before[field] === after[field])) return {};
  const [was, is] = [recordToRow(before), recordToRow(after)];
  return Object.fromEntries(
    Object.entries(is).filter(
      ([part, value]) => !isDeepStrictEqual(was[part as keyof RecordRow], value),
    ),
  );
}

/** The fields of a lane that the wide row holds. */
const FIELDS = [
  "copy",
  "display",
  "base",
  "known",
  "recordChangedAt",
  "attempt",
  "unanswered",
  "lastSent",
  "flips",
] as const satisfies readonly (keyof Lane)[];

function isCopy(content: Content, { copy }: Pick<Lane, "copy">): boolean {
  return content === copy || (copy !== null && isDeepStrictEqual(content, copy));
}

function knownFromRow({ known, copy }: Pick<RecordRow, "known" | "copy">): Known | null {
  if (known === null) return null;
  const content = known.content ?? copy;
  if (content === null) throw new Error("what is known of a resource is not kept");
  return { ...known, at: parseInstant(known.at), content };
}

function knownToJson(lane: Pick<Lane, "known" | "copy">): KnownJson | null {
  if (lane.known === null) return null;
  const { content, at, ...known } = lane.known;
  const kept = isCopy(content, lane) ? {} : { content };
  return { ...known, ...kept, at: formatInstant(at) };
}

function intentFromRow(row: LaneSummaryRow): Intent | null {
  if (row.intent_token === null || row.intent_since === null) return null;
  const posted = postedFromJson(row.intent_posted);
  return {
    token: row.intent_token,
    since: parseInstant(row.intent_since),
    tokenless: row.intent_tokenless,
    ...(posted === null ? {} : { posted }),
    ...(row.intent_connection_id !== null && { leftFrom: connectionId(row.intent_connection_id) }),
  };
}

/** `null` where nothing has left that is not accounted for. */
export function postedFromJson(json: PostedJson | null): Posted | null {
  if (json === null || (json.authors.length === 0 && json.account === undefined)) return null;
  const authors = json.authors.map((author) => ({ times: 1, said: [], made: [], ...author }));
  return {
    at: parseInstant(json.at),
    ...(json.from !== undefined && { from: parseInstant(json.from) }),
    ...(json.account !== undefined && { account: json.account }),
    authors,
    byAuthor: byAuthorFromJson(json),
  };
}

function postedToJson({ at, from, ...posted }: Posted): PostedJson {
  const first = from === undefined ? {} : { from: formatInstant(from) };
  return { ...posted, at: formatInstant(at), ...first };
}

function byAuthorFromJson({ authors, byAuthor }: PostedJson): string | null {
  if (byAuthor === true) return authors[0]?.id ?? null;
  return typeof byAuthor === "string" ? byAuthor : null;
}

function attemptFromJson(json: AttemptJson): Attempt {
  return {
    ...json,
    clockAt: json.clockAt === null ? null : parseInstant(json.clockAt),
    sentAt: parseInstant(json.sentAt),
  };
}

function attemptToJson(attempt: Attempt): AttemptJson {
  return {
    ...attempt,
    clockAt: textOrNull(attempt.clockAt),
    sentAt: formatInstant(attempt.sentAt),
  };
}

function mapValues<A, B>(
  values: Readonly<Record<string, A>>,
  map: (value: A) => B,
): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
