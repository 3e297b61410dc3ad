/**
 * The lane: the order of events of one integration record, with what is known of the resource.
 *
 * It is the unit of every decision: a decision takes a lane and returns the lane that follows,
 * and the store writes the difference while it holds the lane's row lock.
 */
import type { Actor, Content } from "./content.ts";
import type { TandemEvent } from "./event.ts";
import type { ConnectionId, EventId, LaneId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import type { ResourceRef } from "./observation.ts";

/** The latest `integration_updated_at` known, with the event that moved it there. */
export interface LaneClock {
  readonly at: Instant;
  readonly event: EventId;
}

/** The newest content of the resource, by clock; at equal time the later read. */
export interface Known {
  readonly content: Content;
  readonly digest: string;
  readonly at: Instant;
  /** The event that brought it. */
  readonly event: EventId;
  /** Its bearer was canceled, so nobody will merge it. */
  readonly lost: boolean;
  /** The event that brought what base says, where that is not merged yet which is known. */
  readonly baseFrom?: EventId;
  /** A read that may be of before its event, for it is of the same second: our next write looks again. */
  readonly doubted?: true;
  /** Versions that were known before it, newest first: late news of them says nothing unread. */
  readonly before?: readonly string[];
  /** The adapter's validator of the read or answer that showed it: a read that meets it has nothing new. */
  readonly validator?: string;
}

/** Marks an integration record whose resource or record was deleted. */
export interface Tombstone {
  readonly event: EventId;
  readonly at: Instant;
  readonly side: "resource" | "record";
  /** Where the resource was moved to, out of reach; see `placeText`. Absent where it was deleted. */
  readonly movedTo?: string;
  /** The record lives, and the app moved it out of the connection. Absent where it was deleted. */
  readonly recordMoved?: RecordMove;
  /** Of the resource's side: its record was deleted before. That the resource lives proves nothing. */
  readonly recordFirst?: true;
}

/** Where the app moved a record: to another connection, to none, or along with what it belongs to. */
export type RecordMove = "to_connection" | "out_of_scope" | "with_parent";

/** Where a lane was before its resource moved. */
export interface FormerPlace {
  readonly connection: ConnectionId;
  readonly externalId: string;
}

/** What we sent, committed before the request left. */
export interface Attempt {
  readonly event: EventId;
  readonly kind: "create" | "patch" | "delete" | "close";
  readonly values: Content;
  /** Base of the fields sent, to tell a remote edit that our write covered. */
  readonly base: Content;
  /** The lane's clock when we sent. */
  readonly clockAt: Instant | null;
  readonly sentAt: Instant;
  /** The lane's epoch when we sent: tells a failure of this request from one of a later look. */
  readonly epoch: number;
  /** The resource's time when an answer or a read settled it; absent while it is open. */
  readonly settledAt?: Instant;
  /** Of the last attempt: those shortly before it, newest first. */
  readonly earlier?: readonly Attempt[];
  /** Of a create: the user under whose own token it left; absent where the account sent it. */
  readonly author?: Actor;
  /** Of a create that the account sent in its author's place: why. */
  readonly instead?: InsteadOfAuthor;
}

/** Why a create did not leave under its author's own token, although the app has one. */
export type InsteadOfAuthor =
  /** The integration refused it. */
  | "author_token_refused"
  /** Its own rate limit is used up. */
  | "author_token_limited"
  /** The app's hook failed, took too long, or gave no credentials. */
  | "author_token_unavailable";

/** The creates that left for an intent: only they prove that a resource is ours. */
export interface Posted {
  /** When the last one left. */
  readonly at: Instant;
  /** When the first one left; absent in rows of older versions. */
  readonly from?: Instant;
  /** The account's own; absent where it sent none, or its only one made what the lane is bound to. */
  readonly account?: PostedCreates;
  readonly authors: readonly PostedAuthor[];
  /** Which of them wrote the resource that the lane is bound to, by their id; `null`: none. */
  readonly byAuthor: string | null;
}

/** A user under whose own token creates left. */
export interface PostedAuthor extends Actor, PostedCreates {}

/** The creates that left under one writer's credentials. */
export interface PostedCreates {
  /** How many may have made a resource: not those that are known to have made none. */
  readonly times: number;
  /** What they said, newest first, by `saidOf`. */
  readonly said: readonly string[];
  /** The resources that are taken for what they made, by id: never more than left. */
  readonly made: readonly string[];
}

/** A create that is under way: the token by which its resource will be recognised. */
export interface Intent {
  readonly token: string;
  readonly since: Instant;
  /** A create of it left without the token: only an answer, or the content, tells its resource. */
  readonly tokenless: boolean;
  /** Absent where nothing has left, or the only create made what the lane is bound to. */
  readonly posted?: Posted;
  /** Where its creates left, once its resource was transferred from there: one may still land there. */
  readonly leftFrom?: ConnectionId;
}

/** A field that took a value: by a write of ours, or by somebody's at the resource. */
export interface Flip {
  readonly side: "record" | "resource";
  readonly digest: string;
  readonly at: Instant;
}

/** What switched a pairing off by itself, until a person enables it. */
export type OffCause =
  /** Two systems fight over it. */
  | "quarantined"
  /** Its mapping is no longer configured. */
  | "unmapped"
  /** The database is from a backup, and a create that waits in it may have left since. */
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
  /** Our cached copy of the resource, mapped or not. */
  readonly copy: Content | null;
  readonly display: Readonly<Record<string, string>>;
  /** The resource's mapped content last merged into the record, whoever won. */
  readonly base: Content | null;
  /** When the record's fields were last changed by somebody else than Tandem. */
  readonly recordChangedAt: Readonly<Record<string, Instant>>;
  /** A request whose outcome is not settled; while no event is processing, it is unknown. */
  readonly attempt: Attempt | null;
  /** Attempts that were never answered, and no look has shown yet what became of them. */
  readonly unanswered: readonly Attempt[];
  /** The last attempt, settled or not. */
  readonly lastSent: Attempt | null;
  readonly intent: Intent | null;
  /**
   * Until when its events wait for creates of other lanes that left without a token: its resource
   * may be what one of them made. `null` where it is not.
   */
  readonly awaitingIntent: Instant | null;
  /** Who last set each field, in turns, while that was not long ago: how a fight is told. */
  readonly flips: Readonly<Record<string, readonly Flip[]>>;
  /** Where its resource came from, until the record and the children have followed it. */
  readonly moved: FormerPlace | null;
  /**
   * Where its resource came from, out of reach, and nobody has told yet what went there; see `placeText`.
   * `null` where nothing is awaited.
   */
  readonly cameFrom: string | null;
  /**
   * The soft delete that we wrote when the resource was taken for deleted, as its column says it: what
   * says anything else was archived by the app.
   */
  readonly archivedAs: string | null;
  /** The deletion that has proved wrong, until the record has followed: its resource is alive. */
  readonly returned: EventId | null;
  /** Why this pairing is switched off; `null`: it is on. */
  readonly disabled: PairingOff | null;
  /** Counts claims; a write under an older epoch is refused. */
  readonly epoch: number;
  /** Events that are not terminal. */
  readonly live: readonly TandemEvent[];
}

/** What a resource is looked up by among others: where it is, and what it is called there. */
export function resourceKey(connection: ConnectionId, type: string, externalId: string): string {
  return `${connection}/${type}/${externalId}`;
}

/** A lane at first sight: nothing is known of it but what it is called. */
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

/** What a decision leaves behind: the lane as it will be, and the events that ended. */
export interface Transition {
  readonly lane: Lane;
  readonly ended: readonly TandemEvent[];
}
