/**
 * The store: what the runtime needs of a database, in the design's words.
 *
 * 1. A decision is made on lanes that this transaction holds locked, and saved in it.
 * 2. Lanes are locked in the order of their ids, by a statement of their own, before anything else
 *    of them is read: a statement that waits for a lock and goes on reads an old snapshot.
 * 3. A record's row is never waited for.
 * 4. Time is the database's.
 */
import type { Json } from "../model/content.ts";
import type { JournalEntry, TandemEvent } from "../model/event.ts";
import type { ConnectionId, DeliveryId, EventId, LaneId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { Lane, RecordMove, Tombstone, Transition } from "../model/lane.ts";
import type { ActorReference, Journal, Mapping, Row, RowPatch } from "../model/mapping.ts";
import type { AfterCommitStore } from "./after-commits.ts";
import type { BackfillStore } from "./backfill-store.ts";
import type { Directory } from "./directory.ts";
import type { LaneOfResource, LaneOfToken } from "./found-lanes.ts";
import type { HeldRuns } from "./held-runs.ts";
import type { InstanceStore } from "./instances.ts";
import type { Ledger } from "./ledger.ts";
import type { Misfit } from "./misfit.ts";
import type { LinkStore } from "./identities.ts";
import type { RedeliveryStore } from "./redeliveries.ts";

export type { LaneOfResource, LaneOfToken } from "./found-lanes.ts";
export type { AfterCommitMark, AfterCommitStore } from "./after-commits.ts";
export type { AccountRecord, Directory } from "./directory.ts";
export type { HeldRuns } from "./held-runs.ts";
export type { IdentitySettings, Link, LinkStore } from "./identities.ts";

/** What another process may have left to do: webhooks to be read, or events to be worked on. */
export type Work = "deliveries" | "events";

export interface Store {
  readonly kind: "postgres" | "pglite" | "memory";
  /** Brings the schema and the triggers up to date; safe to run twice and at once. */
  migrate(mappings: readonly Mapping[], journals?: readonly Journal[]): Promise<void>;
  /** Why this code or its mappings must not work on the database; `null` where they fit. One query. */
  misfit(): Promise<Misfit | null>;
  /** Runs `work` in one transaction, again if the database says that may help. */
  transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>;
  readonly deliveries: DeliveryStore;
  readonly directory: Directory;
  readonly heldRuns: HeldRuns;
  readonly redeliveries: RedeliveryStore;
  readonly instance: InstanceStore;
  readonly ledger: Ledger;
  /**
   * Calls `heard` when another process may have made work; a hint that may be lost. `null`: of what
   * kind is not known.
   */
  onWork(heard: (work: Work | null) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A lane with the transition decided on it. */
export interface Decided {
  readonly before: Lane;
  readonly after: Transition;
}

/** What identifies a lane when it is looked up or made. */
export interface LaneKey {
  readonly connectionId: ConnectionId;
  readonly resourceType: string;
  readonly recordType: string;
  readonly externalId: string | null;
  readonly recordId: string | null;
}

export interface StoreTransaction {
  /** The database's time when the transaction began. */
  readonly now: Instant;
  /** Finds or makes the lane of each key; keys of one lane give one id. In the keys' order. */
  ensureLanes(keys: readonly LaneKey[]): Promise<readonly LaneId[]>;
  /** The same, and nobody waits: `null` where somebody else may be making the lane at this moment. */
  ensureLanesFree(keys: readonly LaneKey[]): Promise<readonly (LaneId | null)[]>;
  /** Lanes by resource, for those that exist. */
  findLanesByResource(
    connectionId: ConnectionId,
    resourceType: string,
    externalIds: readonly string[],
  ): Promise<readonly LaneOfResource[]>;
  /** Lanes by the token of their intent, also those that were transferred from where it was opened. */
  findLanesByToken(
    connectionId: ConnectionId,
    resourceType: string,
    tokens: readonly string[],
  ): Promise<readonly LaneOfToken[]>;
  /** Living lanes of records, whatever their connection. */
  findLanesByRecord(
    recordType: string,
    recordIds: readonly string[],
  ): Promise<
    readonly {
      readonly id: LaneId;
      readonly connectionId: ConnectionId;
      readonly resourceType: string;
      readonly recordId: string;
      readonly externalId: string | null;
      /** The connection it came from, while its record and children are still to follow. */
      readonly movedFrom: ConnectionId | null;
    }[]
  >;
  /** Tombstoned lanes of records, who ended first first, with the side that was deleted, or moved away. */
  findTombstonedLanes(
    recordType: string,
    recordIds: readonly string[],
  ): Promise<
    readonly (Pick<Lane, "id" | "connectionId" | "resourceType"> &
      Pick<Tombstone, "side" | "at"> & {
        readonly recordId: string;
        readonly recordMoved: RecordMove | null;
        /** The connection that its resource came from, while record and children are still to follow. */
        readonly movedFrom: ConnectionId | null;
        /** Its resource went where nothing is connected. */
        readonly isAway: boolean;
      })[]
  >;
  /**
   * Lanes with an intent that left without its token and has no resource yet, oldest first.
   * `stalled`: it is older than `since`, and nothing but an errored event is left to settle it.
   */
  findOpenIntents(
    connectionId: ConnectionId,
    resourceType: string,
    since: Instant,
  ): Promise<readonly { readonly id: LaneId; readonly stalled: boolean }[]>;
  /** Lanes of resources below those of the lanes given, neither paired nor ended, in their order. */
  findUnpairedChildren(parents: readonly LaneId[]): Promise<readonly LaneId[]>;
  /** Lanes of a type whose parent is the resource of that id, ended ones too, in their order. */
  findChildLanes(
    connectionId: ConnectionId,
    resourceType: string,
    parentExternalId: string,
  ): Promise<readonly { readonly id: LaneId; readonly recordId: string | null }[]>;
  /** Lanes whose resource was moved out of reach, to that place. */
  findLanesMovedTo(resourceType: string, place: string): Promise<readonly LaneId[]>;
  /** Lanes whose resource came from that place, out of reach, with where they are; living ones first. */
  findLanesFrom(
    resourceType: string,
    place: string,
  ): Promise<
    readonly (Pick<Lane, "id" | "connectionId" | "display"> & { readonly externalId: string })[]
  >;
  /** Waits for whoever holds a place, and holds it until this transaction ends. Lanes are locked before. */
  holdPlace(resourceType: string, place: string): Promise<void>;
  /** Living lanes that have a resource, in the order of their ids, after the one given. */
  findBoundLanes(
    connectionId: ConnectionId,
    resourceType: string,
    after: LaneId | null,
    limit: number,
  ): Promise<
    readonly {
      readonly id: LaneId;
      readonly externalId: string;
      readonly recordId: string | null;
    }[]
  >;
  /** Living lanes that have a record, in the order of its key's text, after the one given. */
  findPairedLanes(
    connectionId: ConnectionId,
    mapped: Pick<LaneKey, "recordType" | "resourceType">,
    after: string | null,
    limit: number,
  ): Promise<readonly { readonly id: LaneId; readonly recordId: string }[]>;
  /** How many living lanes of a connection have a record. */
  countPairedLanes(connectionId: ConnectionId): Promise<number>;
  /**
   * Locks lanes in the order of their ids and reads them whole.
   *
   * @param held What others hold is waited for, or skipped: then it is absent. Default: `wait`.
   */
  lockLanes(ids: readonly LaneId[], held?: "wait" | "skip"): Promise<readonly Lane[]>;
  /**
   * Locks lanes that have an event due and nobody working on them, those that wait longest first; skips
   * what others hold, and the connections that are left out.
   */
  lockDueLanes(limit: number, leftOut?: readonly ConnectionId[]): Promise<readonly Lane[]>;
  /** Locks lanes whose processing event has outlived its lease. */
  lockExpiredLanes(limit: number): Promise<readonly Lane[]>;
  /**
   * Locks lanes of a connection that have events in a state, in the order of their ids and, where
   * `after` is given, behind it: how to go through all of them in steps.
   */
  lockLanesInState(
    connectionId: ConnectionId,
    state: TandemEvent["state"],
    limit: number,
    after?: LaneId,
  ): Promise<readonly Lane[]>;
  /** Writes what was decided. A lane of the same resource that was made meanwhile: run again. */
  saveLanes(decided: readonly Decided[]): Promise<void>;
  /** Removes a locked lane whose resource is another lane's, or surplus of one; its live events go with it. */
  removeLane(id: LaneId): Promise<void>;
  /** Makes the children of lanes that wait for them due at once. */
  wakeChildren(parents: readonly Lane[]): Promise<void>;
  /** Makes events that wait for a create without a token, or for pairing to end, due at once. */
  wakeAwaitingIntent(connectionId: ConnectionId, resourceType: string): Promise<void>;
  wakeAwaitingPairing(connectionId: ConnectionId, resourceType: string): Promise<void>;
  /** Adds writes to records to the ledger, as events that have ended. */
  appendJournal(entries: readonly JournalEntry[]): Promise<void>;
  readonly records: RecordStore;
  readonly changes: ChangeStore;
  readonly pendingDeliveries: PendingDeliveries;
  readonly afterCommits: AfterCommitStore;
  readonly links: LinkStore;
  readonly backfills: BackfillStore;
}

/** SQL within Tandem's transaction, for the app's own code. It must not end the transaction. */
export interface AppSql {
  /** Runs one statement with `$1`, `$2`, ...; bigints, decimals and times come back as text. */
  query<T = Row>(text: string, params?: readonly unknown[]): Promise<readonly T[]>;
  /**
   * The driver's own client in the same transaction, to bind an ORM to: a `pg.PoolClient`, or
   * PGlite's transaction.
   */
  readonly client: unknown;
}

/**
 * Who tells the drain of a write of ours: the table's trigger, as of any other, or whoever wrote and has
 * seen what came of it, by `ChangeStore.note`. What an app's trigger writes in answer is captured always.
 */
export type ToldBy = "trigger" | "writer";

/** The app's own rows. Every write is marked as ours. */
export interface RecordStore {
  /** Reads rows by key without locking them; those that are gone are absent. */
  read(mapping: Mapping, ids: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  /**
   * Rows in the order of their keys, after the one given; with a scope, only those whose scope
   * column says so. How to go through all of them in steps.
   */
  page(
    mapping: Mapping,
    scope: string | null,
    after: string | null,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly row: Row }[]>;
  /** The keys of the rows whose parent column names one of these records. */
  childrenOf(
    mapping: Mapping,
    parent: Mapping,
    parentIds: readonly string[],
  ): Promise<readonly string[]>;
  /** Keys of rows whose column has this value, in the order of the keys, after the one given. */
  referring(
    mapping: Mapping,
    column: string,
    value: string,
    after: string | null,
    limit: number,
  ): Promise<readonly string[]>;
  /**
   * Whether rows may be there that are not shown to us: row security is on and we are subject to
   * it. Then a row that is not shown tells nothing.
   */
  mayHideRows(mapping: Mapping): Promise<boolean>;
  /** Locks a row if nobody holds it. */
  lock(
    mapping: Mapping,
    id: string,
  ): Promise<
    { readonly status: "locked"; readonly row: Row } | { readonly status: "missing" | "busy" }
  >;
  /** Locks the rows that nobody holds; what is held, or gone, is absent. */
  lockFree(mapping: Mapping, ids: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  insert(
    mapping: Mapping,
    patch: RowPatch,
    origin: EventId,
  ): Promise<{ readonly id: string; readonly row: Row }>;
  /** Inserts rows at once, in their order; `null` where no key is known before its row is there. */
  insertAll(
    mapping: Mapping,
    patches: readonly RowPatch[],
    origin: EventId,
    toldBy: ToldBy,
  ): Promise<readonly { readonly id: string; readonly row: Row }[] | null>;
  update(mapping: Mapping, id: string, patch: RowPatch, origin: EventId): Promise<Row>;
  /** Updates rows at once; the row of each key as it is afterwards. */
  updateAll(
    mapping: Mapping,
    patches: ReadonlyMap<string, RowPatch>,
    origin: EventId,
    toldBy: ToldBy,
  ): Promise<ReadonlyMap<string, Row>>;
  delete(mapping: Mapping, id: string, origin: EventId): Promise<void>;
  /**
   * Lets the app's own code write, marked as ours. What it throws undoes what it wrote, and leaves
   * the transaction fit for more; a refusal by a table comes as a `RecordWriteError`.
   */
  lend<T>(
    origin: EventId,
    work: (sql: AppSql) => Promise<T>,
    /** Rejects when the work has had its time. It may still be at it, so the transaction is lost. */
    late?: Promise<never>,
  ): Promise<T>;
  /** What the work throws undoes what it wrote, and leaves the transaction fit for more. */
  attempt<T>(work: () => Promise<T>): Promise<T>;
  /** From here on no statement waits longer for what somebody else holds. */
  waitAtMost(millis: number): Promise<void>;
  /**
   * From here on the app's code takes part: the database ends the transaction by itself should it
   * stand still for so long, whatever has become of this process.
   */
  allowPauses(millis: number): Promise<void>;
  /** A row of the table of the identities; `null` where there is none, or no such table is named. */
  user(id: string): Promise<Row | null>;
  /** The keys of the rows that stand for actors, by column. */
  resolveActors(
    integration: string,
    references: readonly ActorReference[],
    origin: EventId,
  ): Promise<RowPatch>;
}

/** One captured write. */
export interface CapturedChange {
  readonly recordType: string;
  readonly recordId: string;
  readonly operation: "insert" | "update" | "delete";
  /** Of an update that only notes that the record is here again: none. */
  readonly columns: readonly string[];
  readonly changedAt: Instant;
  readonly origin: EventId | null;
  readonly oldRow: Row | null;
  /** Columns of a journaled table before and after, of a write that is not ours. */
  readonly journal: Readonly<Record<string, { readonly from: Json; readonly to: Json }>> | null;
}

export interface ChangeStore {
  /** Takes captured writes out, oldest first; what other drains hold is skipped. */
  take(limit: number): Promise<readonly CapturedChange[]>;
  /** Reads the captured writes of records that are still to be drained. */
  peek(recordType: string, recordIds: readonly string[]): Promise<readonly CapturedChange[]>;
  /** When the oldest write was captured that no drain has committed, be it in a drain's hands. */
  oldest(): Promise<Instant | null>;
  /** Tables that were emptied at once since they were asked for, by `TRUNCATE`; each is told once. */
  takeTruncated(): Promise<readonly string[]>;
  /** Adds updates that nobody made, so that the drain looks at the records again. */
  note(
    changes: readonly Pick<CapturedChange, "recordType" | "recordId" | "columns" | "origin">[],
  ): Promise<void>;
}

/** A delivery as it is stored. */
export interface Delivery {
  readonly id: DeliveryId;
  readonly integration: string;
  readonly deliveryKey: string;
  readonly event: string;
  readonly payload: string;
  readonly attempts: number;
}

export interface DeliveryStore {
  /** Stores deliveries durably; one seen before counts up and tells so. */
  receive(
    deliveries: readonly Omit<Delivery, "attempts">[],
  ): Promise<readonly { readonly id: DeliveryId; readonly seenBefore: boolean }[]>;
  /** Which of these keys are stored, whatever became of them. */
  received(integration: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
  counts(): Promise<Readonly<Record<"received" | "translated" | "irrelevant" | "failed", number>>>;
  /** Only what is still to be translated: it costs the same however many are kept. */
  waiting(): Promise<Readonly<Record<"received" | "failed", number>>>;
}

/** A delivery that is stored with what has become of it already. */
export interface TakenDelivery extends Omit<Delivery, "attempts"> {
  /** `received`: it is still to be translated. */
  readonly state: "received" | "translated" | "irrelevant";
  readonly action: string | null;
  /** Of an irrelevant one. */
  readonly reason: string | null;
}

export interface PendingDeliveries {
  /** Which of these keys are stored, as `DeliveryStore.received`. */
  received(integration: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Stores deliveries that are not stored yet. One that has been meanwhile: run again. */
  add(deliveries: readonly TakenDelivery[]): Promise<void>;
  /** Locks deliveries that are to be translated, oldest first. */
  lock(limit: number): Promise<readonly Delivery[]>;
  translated(
    deliveries: readonly { readonly id: DeliveryId; readonly action: string | null }[],
  ): Promise<void>;
  irrelevant(id: DeliveryId, action: string | null, reason: string): Promise<void>;
  failed(id: DeliveryId, error: TandemEvent["error"], runAt: Instant): Promise<void>;
  /** Events of a delivery that are errored; a redelivery restarts them. */
  erroredLanes(id: DeliveryId): Promise<readonly LaneId[]>;
}
