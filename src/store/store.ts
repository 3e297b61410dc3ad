/**
 * The store: what the runtime needs of a database, in the design's words.
 *
 * 1. A decision is made on lanes that this transaction holds locked, and saved in it.
 * 2. Lanes are locked in the order of their ids, by a statement of their own, before anything else
 *    of them is read: a statement that waits for a lock and goes on reads an old snapshot.
 * 3. A record's row is never waited for.
 * 4. Time is the database's.
 */
import type { JournalEntry, TandemEvent } from "../model/event.ts";
import type { ConnectionId, LaneId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { Decided, Lane } from "../model/lane.ts";
import type { Journal, Mapping } from "../model/mapping.ts";
import type { AfterCommitStore } from "./after-commits.ts";
import type { AuditStore } from "./audit.ts";
import type { BackfillStore } from "./backfills.ts";
import type { Beginning } from "./beginning.ts";
import type { SchemaMismatch } from "./database/index.ts";
import type { DeliveryStore, PendingDeliveries } from "./deliveries.ts";
import type { Directory } from "./directory.ts";
import type { HeldRuns } from "./held-runs.ts";
import type { LinkStore } from "./identities.ts";
import type { InstanceStore } from "./instances.ts";
import type { FoundLane, LaneQuery } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import type { ChangeStore, RecordStore } from "./records.ts";
import type { RedeliveryStore } from "./redeliveries.ts";
import type { RefusalStore } from "./refusals.ts";
import type { SessionStore } from "./sessions.ts";

export type { AfterCommitMark, AfterCommitStore } from "./after-commits.ts";
export type { Beginning, FirstLook } from "./beginning.ts";
export type { AccountRecord, Contact, Directory } from "./directory.ts";
export type { HeldRuns } from "./held-runs.ts";
export type { IdentitySettings, Link, LinkStore } from "./identities.ts";
export type { FoundLane, LaneQuery, LaneSummary } from "./lanes.ts";
export type { AppSql, CapturedChange, ChangeStore, RecordStore, ToldBy } from "./records.ts";

/** Work that another process may have left: webhooks to translate, or events to process. */
export type Work = "deliveries" | "events";

export interface Store {
  readonly kind: "postgres" | "pglite" | "memory";
  /** Brings the schema and the triggers up to date; safe to run twice and at once. */
  migrate(mappings: readonly Mapping[], journals?: readonly Journal[]): Promise<void>;
  /** Why this code or its mappings must not work on the database; `null` where they fit. One query. */
  schemaMismatch(): Promise<SchemaMismatch | null>;
  /**
   * Runs `work` in one transaction, again if the database says that may help.
   *
   * @param beginning How it begins; `work` is given what was seen first.
   */
  transaction<T, Seen = undefined>(
    work: (tx: StoreTransaction, seen: Seen) => Promise<T>,
    beginning?: Beginning<Seen>,
  ): Promise<T>;
  readonly deliveries: DeliveryStore;
  readonly directory: Directory;
  readonly heldRuns: HeldRuns;
  readonly redeliveries: RedeliveryStore;
  readonly instance: InstanceStore;
  readonly ledger: Ledger;
  readonly sessions: SessionStore;
  readonly audit: AuditStore;
  readonly refusals: RefusalStore;
  /**
   * Calls `heard` when another process may have made work; a hint that may be lost. `null`: of what
   * kind is not known.
   */
  onWork(heard: (work: Work | null) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export type { Decided };

/** The keys that identify a lane when it is looked up or made. */
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
  /**
   * Holds a lane that is still to be made for each key of a resource that has none, as if it was locked:
   * the first `saveLanes` that has it makes it. In the keys' order; keys of one resource give one id.
   *
   * @param held Where others are making one at this moment, they are waited for, or it is `null`.
   */
  reserveLanes(
    keys: readonly LaneKey[],
    held: "wait" | "skip",
  ): Promise<readonly (LaneId | null)[]>;
  /** Finds lanes without locking them. */
  findLanes<Query extends LaneQuery>(query: Query): Promise<readonly FoundLane<Query>[]>;
  /** Waits for whoever holds a place, and holds it until this transaction ends. Lanes are locked before. */
  holdPlace(resourceType: string, place: string): Promise<void>;
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
  /** Writes what was decided, makes what was reserved. A lane of the same resource made meanwhile: run again. */
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
  /** As they are in this transaction. */
  readonly directory: Pick<Directory, "accounts" | "connections" | "contacts">;
  readonly records: RecordStore;
  readonly changes: ChangeStore;
  readonly pendingDeliveries: PendingDeliveries;
  readonly afterCommits: AfterCommitStore;
  readonly links: LinkStore;
  readonly backfills: BackfillStore;
  readonly sessions: SessionStore;
  readonly audit: AuditStore;
}
