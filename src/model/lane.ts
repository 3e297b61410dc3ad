/**
 * The lane: the ordered events of one pairing, and Tandem's knowledge of its resource.
 *
 * It is the unit of every decision: a decision takes a lane and returns the lane that results, and the store writes
 * the difference while it holds the lane's row lock.
 */
import type { Actor, Content } from "./content.ts";
import type { TandemEvent } from "./event.ts";
import type { ConnectionId, EventId, LaneId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import type { LaneAddress, ResourceRef } from "./observation.ts";
import type { Tombstone } from "./tombstone.ts";

/** The latest known `integration_updated_at`, with the event that brought it. */
export interface LaneClock {
  readonly at: Instant;
  readonly event: EventId;
}

/** The newest known content of the resource, by its time. If two times are equal, the later observation counts. */
export interface Known {
  readonly content: Content;
  readonly digest: string;
  readonly at: Instant;
  /** The event that brought it. */
  readonly event: EventId;
  /** The carrier was canceled, so no event will merge this content. */
  readonly lost: boolean;
  /** The event that brought base, while the known content is not merged yet. */
  readonly baseFrom?: EventId;
  /** From a read of its event's own second, which may be older than the event: the next write must re-read. */
  readonly doubted?: true;
  /** Versions that were known before, newest first. A late observation of one of them is not new. */
  readonly before?: readonly string[];
  /** The adapter's validator of this content: a conditional read with it is answered "unchanged". */
  readonly validator?: string;
}

/** A request that changes the resource. Committed before the request is sent. */
export interface Attempt {
  readonly event: EventId;
  readonly kind: "create" | "patch" | "delete" | "close";
  readonly values: Content;
  /** Base of the fields sent, to recognise a remote edit that our write overwrote. */
  readonly base: Content;
  /** The lane's clock when the request was sent. */
  readonly clockAt: Instant | null;
  readonly sentAt: Instant;
  /** The lane's epoch when the request was sent: distinguishes its failure from that of a later claim's read. */
  readonly epoch: number;
  /** The resource's time when an answer or a read settled it; absent while it is open. */
  readonly settledAt?: Instant;
  /** Only in `lastSent`: the attempts shortly before it, newest first. */
  readonly earlier?: readonly Attempt[];
  /** Only of a create: the user under whose own token it was sent; absent if the account sent it. */
  readonly author?: Actor;
  /** Only of a create that the account sent although the app has a token of the author: why. */
  readonly instead?: InsteadOfAuthor;
}

/** Why a create was not sent under its author's own token, although the app has one. */
export type InsteadOfAuthor =
  /** The integration refused it. */
  | "author_token_refused"
  /** Its own rate limit is used up. */
  | "author_token_limited"
  /** The app's hook failed, took too long, or gave no credentials. */
  | "author_token_unavailable";

/** The creates that were sent for an intent. Only they prove that a resource is ours. */
export interface Posted {
  /** When the last one was sent. */
  readonly at: Instant;
  /** When the first one was sent; absent in rows of older versions. */
  readonly from?: Instant;
  /** The account's creates; absent if it sent none, or if its only one made the lane's resource. */
  readonly account?: PostedCreates;
  readonly authors: readonly PostedAuthor[];
  /** The id of the author who wrote the lane's resource; `null`: none of them. */
  readonly byAuthor: string | null;
}

/** A user under whose own token creates were sent. */
export interface PostedAuthor extends Actor, PostedCreates {}

/** The creates that were sent under one writer's credentials. */
export interface PostedCreates {
  /** How many may have made a resource, without those that certainly made none. */
  readonly times: number;
  /** Digests of their texts, newest first, by `saidOf`. */
  readonly said: readonly string[];
  /** The ids of the resources that they are believed to have made: never more than were sent. */
  readonly made: readonly string[];
}

/** The record of a create, committed before its request is sent. */
export interface Intent {
  readonly token: string;
  readonly since: Instant;
  /** A create was sent without the token: only its answer, or the content, identifies its resource. */
  readonly tokenless: boolean;
  /** Absent if no create was sent, or if the only one made the lane's resource. */
  readonly posted?: Posted;
  /** The connection its creates were sent to, if the resource was transferred since: one may take effect there. */
  readonly leftFrom?: ConnectionId;
}

/** A side's turn at setting a field: by a write of ours, or by an edit of the resource. */
export interface Flip {
  readonly side: "record" | "resource";
  readonly digest: string;
  readonly at: Instant;
}

/** Why Tandem switched a pairing off, until a person enables it. */
export type OffCause =
  /** Two systems overwrite each other's value of a field. */
  | "quarantined"
  /** Its mapping is no longer configured. */
  | "unmapped"
  /** The database is from a backup, and a create that waits in it may have been sent after the backup. */
  | "restored";

export interface PairingOff {
  readonly cause: OffCause;
  /** For people. */
  readonly why: string;
}

export interface Lane {
  readonly id: LaneId;
  readonly connectionId: ConnectionId;
  readonly resourceType: string;
  readonly recordType: string;
  readonly externalId: string | null;
  readonly recordId: string | null;
  readonly parent: ResourceRef | null;
  readonly clock: LaneClock | null;
  readonly known: Known | null;
  readonly tombstone: Tombstone | null;
  /** The cached copy of the resource, with unmapped fields too. */
  readonly copy: Content | null;
  readonly display: Readonly<Record<string, string>>;
  /** The resource's mapped content at the last merge, whichever side won. */
  readonly base: Content | null;
  /** When the app last changed each field of the record. */
  readonly recordChangedAt: Readonly<Record<string, Instant>>;
  /** The attempt that is not settled. While no event is processing, its outcome is unknown. */
  readonly attempt: Attempt | null;
  /** Attempts that were never answered and whose outcome no observation has shown yet. */
  readonly unanswered: readonly Attempt[];
  /** The last attempt, settled or not. */
  readonly lastSent: Attempt | null;
  readonly intent: Intent | null;
  /**
   * Until when its events wait for unmarked creates of other lanes, one of which may have made its resource. `null`
   * if they do not wait.
   */
  readonly awaitingIntent: Instant | null;
  /** The recent turns in which each field was set, from which a quarantine is decided. */
  readonly flips: Readonly<Record<string, readonly Flip[]>>;
  /**
   * The address its resource was moved from, until the record and the children have followed. A lane that ends before
   * keeps it: they follow once the lane is restored, or comes back into reach.
   */
  readonly moved: LaneAddress | null;
  /**
   * The address, out of reach, from which its resource came, while the earlier move to that address is not reported
   * yet; see `placeText`. `null` if no report is awaited.
   */
  readonly cameFrom: string | null;
  /**
   * The soft delete that Tandem wrote when the resource was taken for deleted, as its column shows it. A record with
   * another value was archived by the app.
   */
  readonly archivedAs: string | null;
  /** The deletion that proved wrong because the resource returned, until the record has followed. */
  readonly returned: EventId | null;
  /** Why this pairing is switched off; `null`: it is on. */
  readonly disabled: PairingOff | null;
  /** Counts claims; a write under an older epoch is refused. */
  readonly epoch: number;
  /** Events that are not terminal. */
  readonly live: readonly TandemEvent[];
}

/** The key of a resource among those of all connections. */
export function resourceKey(connection: ConnectionId, type: string, externalId: string): string {
  return `${connection}/${type}/${externalId}`;
}

/** A new lane, of which only the key is known. */
export function newLane(
  id: LaneId,
  key: Pick<Lane, "connectionId" | "resourceType" | "recordType" | "externalId" | "recordId">,
): Lane {
  const { connectionId, resourceType, recordType, externalId, recordId } = key;
  return {
    id,
    connectionId,
    resourceType,
    recordType,
    externalId,
    recordId,
    parent: null,
    clock: null,
    known: null,
    tombstone: null,
    copy: null,
    display: {},
    base: null,
    recordChangedAt: {},
    attempt: null,
    unanswered: [],
    lastSent: null,
    intent: null,
    awaitingIntent: null,
    flips: {},
    moved: null,
    cameFrom: null,
    archivedAs: null,
    returned: null,
    disabled: null,
    epoch: 0,
    live: [],
  };
}

/** A lane with the transition decided on it. */
export interface Decided {
  readonly before: Lane;
  readonly after: Transition;
}

/** The result of a decision: the lane that results, and the events that ended. */
export interface Transition {
  readonly lane: Lane;
  readonly ended: readonly TandemEvent[];
}
