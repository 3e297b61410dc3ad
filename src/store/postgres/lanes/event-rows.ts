/** Between an event and its row, in `events_live` and `events_ended` alike. */
import { isDeepStrictEqual } from "node:util";
import type { Content } from "../../../model/content.ts";
import type {
  Conflict,
  EventError,
  EventState,
  FieldChange,
  Reason,
  TandemEvent,
} from "../../../model/event.ts";
import { connectionId, deliveryId, eventId, laneId } from "../../../model/ids.ts";
import { formatInstant, type Instant, parseInstant } from "../../../model/instant.ts";

export interface EventRow {
  readonly id: string;
  readonly lane_id: string;
  readonly connection_id: string;
  readonly direction: TandemEvent["direction"];
  readonly action: TandemEvent["action"];
  readonly source: TandemEvent["source"];
  readonly resource_type: string;
  readonly integration_external_id: string | null;
  readonly integration_updated_at: string | null;
  readonly integration_record_type: string;
  readonly record_type: string;
  readonly record_id: string | null;
  readonly state: EventState;
  readonly reason: Reason;
  readonly canceled_by: string | null;
  readonly duplicate_of: string | null;
  readonly ignored_for_id: string | null;
  readonly ignored_for_type: string | null;
  readonly delivery_id: string | null;
  readonly content: Content | null;
  readonly digest: string | null;
  readonly changes: readonly KeptChange[];
  readonly conflicts: readonly Conflict[];
  readonly error: EventError | null;
  readonly attempts: number;
  readonly run_at: string;
  readonly lease_expires_at: string | null;
  readonly epoch: string;
  readonly worker: string | null;
  readonly reread: boolean;
  readonly restores: boolean;
  readonly deadline: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** Without `to`: what the event's own content says. */
type KeptChange = Omit<FieldChange, "to"> & Partial<Pick<FieldChange, "to">>;

/** The type of an event's resource and the relation that shows its cached copies. */
export interface ResourceNames {
  readonly resourceType: string;
  readonly relation: string;
}

export function eventFromRow(row: EventRow): TandemEvent {
  return {
    id: eventId(row.id),
    laneId: laneId(row.lane_id),
    connectionId: connectionId(row.connection_id),
    direction: row.direction,
    action: row.action,
    source: row.source,
    externalId: row.integration_external_id,
    updatedAt: instantOrNull(row.integration_updated_at),
    recordType: row.record_type,
    recordId: row.record_id,
    state: row.state,
    reason: row.reason,
    canceledBy: row.canceled_by === null ? null : eventId(row.canceled_by),
    duplicateOf: row.duplicate_of === null ? null : eventId(row.duplicate_of),
    ignoredFor:
      row.ignored_for_id === null || row.ignored_for_type === null
        ? null
        : { id: row.ignored_for_id, type: row.ignored_for_type },
    deliveryId: row.delivery_id === null ? null : deliveryId(row.delivery_id),
    content: row.content,
    digest: row.digest,
    changes: wholeChanges(row),
    conflicts: row.conflicts,
    error: row.error,
    attempts: row.attempts,
    runAt: parseInstant(row.run_at),
    leaseExpiresAt: instantOrNull(row.lease_expires_at),
    epoch: Number(row.epoch),
    worker: row.worker,
    reread: row.reread,
    restores: row.restores,
    deadline: instantOrNull(row.deadline),
    createdAt: parseInstant(row.created_at),
    startedAt: instantOrNull(row.started_at),
    finishedAt: instantOrNull(row.finished_at),
  };
}

export function eventToRow(event: TandemEvent, names: ResourceNames): EventRow {
  return {
    id: event.id,
    lane_id: event.laneId,
    connection_id: event.connectionId,
    direction: event.direction,
    action: event.action,
    source: event.source,
    resource_type: names.resourceType,
    integration_external_id: event.externalId,
    integration_updated_at: textOrNull(event.updatedAt),
    integration_record_type: names.relation,
    record_type: event.recordType,
    record_id: event.recordId,
    state: event.state,
    reason: event.reason,
    canceled_by: event.canceledBy,
    duplicate_of: event.duplicateOf,
    ignored_for_id: event.ignoredFor?.id ?? null,
    ignored_for_type: event.ignoredFor?.type ?? null,
    delivery_id: event.deliveryId,
    content: event.content,
    digest: event.digest,
    changes: event.changes.map((change) => keptChange(change, event.content)),
    conflicts: event.conflicts,
    error: event.error,
    attempts: event.attempts,
    run_at: formatInstant(event.runAt),
    lease_expires_at: textOrNull(event.leaseExpiresAt),
    epoch: String(event.epoch),
    worker: event.worker,
    reread: event.reread,
    restores: event.restores,
    deadline: textOrNull(event.deadline),
    created_at: formatInstant(event.createdAt),
    started_at: textOrNull(event.startedAt),
    finished_at: textOrNull(event.finishedAt),
  };
}

function keptChange(change: FieldChange, content: Content | null): KeptChange {
  const { to, ...kept } = change;
  const said = content?.[change.field];
  return said !== undefined && isDeepStrictEqual(said, to) ? kept : change;
}

function wholeChanges({ changes, content }: EventRow): readonly FieldChange[] {
  return changes.map(({ to, ...change }) => ({
    ...change,
    to: to === undefined ? (content?.[change.field] ?? null) : to,
  }));
}

/** The columns of an event, for statements that name them. */
export const EVENT_COLUMNS = [
  "id",
  "lane_id",
  "connection_id",
  "direction",
  "action",
  "source",
  "resource_type",
  "integration_external_id",
  "integration_updated_at",
  "integration_record_type",
  "record_type",
  "record_id",
  "state",
  "reason",
  "canceled_by",
  "duplicate_of",
  "ignored_for_id",
  "ignored_for_type",
  "delivery_id",
  "content",
  "digest",
  "changes",
  "conflicts",
  "error",
  "attempts",
  "run_at",
  "lease_expires_at",
  "epoch",
  "worker",
  "reread",
  "restores",
  "deadline",
  "created_at",
  "started_at",
  "finished_at",
] as const satisfies readonly (keyof EventRow)[];

export function instantOrNull(text: string | null): Instant | null {
  return text === null ? null : parseInstant(text);
}

export function textOrNull(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at);
}
