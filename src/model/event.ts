/**
 * The event: one observed change in one direction, with its outcome.
 *
 *   starts as    queued | ignored | duplicate | disabled
 *   queued     -> processing | canceled | disabled
 *   processing -> completed | ignored | duplicate | queued | errored
 *   errored    -> queued | ignored | duplicate | canceled
 *   disabled   -> queued | canceled
 *
 * Completed, ignored, duplicate and canceled are terminal and never change again.
 */
import type { Content, Json } from "./content.ts";
import type { ConnectionId, DeliveryId, EventId, LaneId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import type { ObservationSource } from "./observation.ts";

export type Direction = "inbound" | "outbound";
export type Action = "upsert" | "delete";
export type EventSource = ObservationSource | "change";

export type LiveState = "queued" | "processing" | "errored" | "disabled";
export type TerminalState = "completed" | "ignored" | "duplicate" | "canceled";
export type EventState = LiveState | TerminalState;

/** The only legal moves between states. */
export const LEGAL_MOVES: Readonly<Record<EventState, readonly EventState[]>> = {
  queued: ["processing", "canceled", "disabled"],
  processing: ["completed", "ignored", "duplicate", "queued", "errored"],
  errored: ["queued", "ignored", "duplicate", "canceled"],
  disabled: ["queued", "canceled"],
  completed: [],
  ignored: [],
  duplicate: [],
  canceled: [],
};

/** The states in which an event may be added. */
export const BIRTH_STATES: readonly EventState[] = ["queued", "ignored", "duplicate", "disabled"];

export const TERMINAL_STATES: readonly TerminalState[] = [
  "completed",
  "ignored",
  "duplicate",
  "canceled",
];

/** Every reason that an event can carry, with an explanation for people. */
export const REASONS = {
  admitted: "Waiting for its turn.",
  reread_needed: "Waiting for its turn; the resource will be read again first.",
  awaiting_parent: "Waiting until its parent has a counterpart.",
  awaiting_intent: "Waiting until the outcome of an open create of Tandem's is known.",
  awaiting_pairing: "Waiting until the backfill has paired what exists on both sides.",
  retry: "Failed with an error that may pass; waiting for its next attempt.",
  account_paused: "The account is paused by a rate limit or needs attention.",
  record_locked: "The app has locked the record's row; Tandem tries again in a moment.",
  record_not_visible:
    "The record's row is not visible to Tandem's role, and no delete was captured: row security may hide it. Nothing is deleted. Grant the role BYPASSRLS, or a policy that shows it the row; the event then continues.",
  lease_lost: "Its worker did not finish in time; another worker will process it.",
  restarted: "Restarted; the resource will be read again first.",
  re_enabled: "The connection was enabled again; the resource will be read again first.",
  being_processed: "A worker is processing it.",
  created_record: "A record was created from the resource.",
  updated_record: "The record took the resource's changes.",
  agreed: "Both sides already had the same content.",
  record_kept: "The record kept its value; the resource will follow.",
  deleted_record: "The record was deleted with its resource.",
  archived_record: "The record was archived because its resource was deleted.",
  detached: "The record was kept and is no longer paired.",
  resource_returned:
    "The resource was taken for deleted but exists; its record is paired with it again.",
  resource_returned_anew:
    "The resource was taken for deleted but exists; a new record was created from it.",
  nothing_to_delete: "There was no record to delete.",
  created_resource: "A resource was created from the record.",
  created_as_author: "A resource was created from the record, under its author's own token.",
  author_token_refused:
    "A resource was created from the record by the account, for its author's own token was refused: give the app a new one, or give its user access.",
  author_token_limited:
    "A resource was created from the record by the account, for the rate limit of its author's own token was used up.",
  author_token_unavailable:
    "A resource was created from the record by the account, for identities.token failed, took too long or gave no credentials; see the log.",
  adopted_resource: "The resource that an earlier attempt had created was found and paired.",
  updated_resource: "The resource took the record's changes.",
  deleted_resource: "The resource was deleted with its record.",
  closed_resource: "The resource was closed because its record was deleted.",
  resource_not_found:
    "The resource was deleted before, or is out of reach; the sweep removes it if it exists.",
  nothing_to_send: "Record and resource already agreed when it ran.",
  record_missing: "The record no longer exists; the event of its deletion follows.",
  later_event: "A later event of this resource is already known.",
  followed_move: "The resource was moved to another connection; its record followed it there.",
  moved_away:
    "The resource was moved to a container that no connection covers; the record was kept, unpaired.",
  resource_moved: "Its resource was moved to another connection; its events continue there.",
  moved_to_connection:
    "The record was moved to another connection and is synced there; its resource here was treated as that of a deleted record.",
  moved_out_of_scope:
    "The record was moved to a scope that no connection covers; its resource was treated as that of a deleted record.",
  moved_with_parent:
    "Its parent was moved, and the record is synced there; its resource here was detached.",
  record_moved:
    "The record was moved out of this connection before; it is no longer synced with its former resource.",
  awaiting_children: "Waiting until all children of the moved resource have arrived there.",
  tombstoned: "The resource or its record was deleted before.",
  record_is_newer: "The record was changed later than the resource.",
  parent_deleted: "Its parent was deleted.",
  surplus: "A second resource that Tandem created for one record; the sweep closes it.",
  read_again: "A later read of the resource replaced it.",
  same_content: "Same content as what is already known.",
  same_version: "Same version as what is already known.",
  nothing_new: "Reading the resource again found nothing new.",
  superseded: "A newer event took its place before it was processed.",
  canceled_by_hand: "Canceled by an operator.",
  connection_paused: "The connection or this direction is switched off.",
  pairing_disabled: "This pairing is switched off.",
  quarantined:
    "Two systems overwrite each other's value of a field, so this pairing is switched off; see explain.",
  journaled: "The record's own write, kept in the ledger.",
  author_linked: "Its author, a placeholder until then, was linked to a user.",
  failed: "Failed permanently; see the error.",
  needs_attention: "Only a person can resolve it; see the error.",
  retries_exhausted: "Failed too often; see the error.",
} as const;

export type Reason = keyof typeof REASONS;

/** The reasons of an event whose request created a resource. */
export const CREATED: ReadonlySet<Reason> = new Set([
  "created_resource",
  "created_as_author",
  "author_token_refused",
  "author_token_limited",
  "author_token_unavailable",
]);

/** Why an event failed, in terms that tell the user the next step. */
export interface EventError {
  /** A stable code: `rate_limited`, `not_found`, `constraint_violated`. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly httpStatus: number | null;
  /** The provider's id of the request, for its support. */
  readonly requestId: string | null;
}

/** A field to which both sides had a claim, with the value that won and the one that lost. */
export interface Conflict {
  readonly field: string;
  readonly winner: "record" | "resource";
  readonly kept: Json;
  readonly lost: Json;
  readonly why:
    | "both_changed"
    | "agreed_before"
    | "record_is_newer"
    | "late_write"
    | "perhaps_late_write"
    | "covered_by_our_write"
    | "provider_changed_our_value"
    | "record_deleted"
    | "resource_deleted"
    | "record_moved"
    | "created_twice"
    | "initial_pairing";
}

/** A change that an event made on one side. */
export interface FieldChange {
  readonly side: "record" | "resource";
  readonly field: string;
  readonly from: Json;
  readonly to: Json;
}

/** The record or event that caused an event to be ignored. `type` is a table name or `events`. */
export interface IgnoredFor {
  readonly id: string;
  readonly type: string;
}

export interface TandemEvent {
  readonly id: EventId;
  readonly laneId: LaneId;
  readonly connectionId: ConnectionId;
  readonly direction: Direction;
  readonly action: Action;
  readonly source: EventSource;
  readonly externalId: string | null;
  /** `integration_updated_at`: the resource's last updated time at the provider. */
  readonly updatedAt: Instant | null;
  readonly recordType: string;
  readonly recordId: string | null;
  readonly state: EventState;
  readonly reason: Reason;
  readonly canceledBy: EventId | null;
  readonly duplicateOf: EventId | null;
  readonly ignoredFor: IgnoredFor | null;
  readonly deliveryId: DeliveryId | null;
  readonly content: Content | null;
  readonly digest: string | null;
  readonly changes: readonly FieldChange[];
  readonly conflicts: readonly Conflict[];
  readonly error: EventError | null;
  /** How often it was started. A start that ended in a pause without an error of its own is not counted. */
  readonly attempts: number;
  readonly runAt: Instant;
  readonly leaseExpiresAt: Instant | null;
  readonly epoch: number;
  /** The worker that processes it, or did last. */
  readonly worker: string | null;
  /** The resource must be read again before this event's content is trusted. */
  readonly reread: boolean;
  /**
   * The app restored the record: its resource gets the record's content again. If the resource is deleted by now,
   * another one is created. An event that only re-reads must not create another one.
   */
  readonly restores: boolean;
  /** The end of a wait for something else (a parent, an intent). */
  readonly deadline: Instant | null;
  readonly createdAt: Instant;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
}

/**
 * A write to a record that the ledger keeps even if nothing is synced: an event without lane, connection or
 * resource, which is completed when it is added.
 */
export interface JournalEntry {
  readonly id: EventId;
  /** `outbound`: the app's own write. `inbound`: Tandem's write after a placeholder was linked to a user. */
  readonly direction: Direction;
  readonly reason: Extract<Reason, "journaled" | "author_linked">;
  readonly action: Action;
  readonly recordType: string;
  readonly recordId: string;
  readonly changes: readonly FieldChange[];
  /** When the record was written. */
  readonly writtenAt: Instant;
  /** When it was added to the ledger. */
  readonly endedAt: Instant;
}

/** An event of any kind. One without a lane has no connection either. */
export interface AnyEvent extends Omit<TandemEvent, "laneId" | "connectionId"> {
  readonly laneId: LaneId | null;
  readonly connectionId: ConnectionId | null;
}

/** A journal entry as an event. */
export function eventOfEntry(entry: JournalEntry): AnyEvent {
  return {
    id: entry.id,
    laneId: null,
    connectionId: null,
    direction: entry.direction,
    action: entry.action,
    source: "change",
    externalId: null,
    updatedAt: null,
    recordType: entry.recordType,
    recordId: entry.recordId,
    state: "completed",
    reason: entry.reason,
    canceledBy: null,
    duplicateOf: null,
    ignoredFor: null,
    deliveryId: null,
    content: null,
    digest: null,
    changes: entry.changes,
    conflicts: [],
    error: null,
    attempts: 0,
    runAt: entry.writtenAt,
    leaseExpiresAt: null,
    epoch: 0,
    worker: null,
    reread: false,
    restores: false,
    deadline: null,
    createdAt: entry.writtenAt,
    startedAt: null,
    finishedAt: entry.endedAt,
  };
}

/** Whether a move between two states is legal. */
export function isLegalMove(from: EventState, to: EventState): boolean {
  return LEGAL_MOVES[from].includes(to);
}

export function isTerminal(state: EventState): state is TerminalState {
  return (TERMINAL_STATES as readonly EventState[]).includes(state);
}
