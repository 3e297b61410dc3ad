/**
 * Everything a memory database holds, the app's tables and Tandem's own, and its transactions.
 *
 * 1. One transaction at a time, in the order they were asked for; reads take their turn too, so
 *    no reader sees half a decision.
 * 2. The writes of a failed transaction are rolled back.
 * 3. Listeners hear of what was committed, afterwards.
 * 4. A kept value is replaced and never changed, so it may be handed out as it is.
 */
import type { StoredInstance } from "../../../engine/limits/index.ts";
import type { Backfill } from "../../../model/backfill.ts";
import type { Connection } from "../../../model/connection.ts";
import type { TandemEvent } from "../../../model/event.ts";
import type { HeldRun } from "../../../model/held-run.ts";
import type { AccountId, ConnectionId, DeliveryId, LaneId } from "../../../model/ids.ts";
import { type Instant, instantFromMillis } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { Journal, Mapping } from "../../../model/mapping.ts";
import type { LogPosition, MissedDelivery } from "../../../model/missed-delivery.ts";
import type { Placeholder } from "../../../model/placeholder.ts";
import type { AuditEntry } from "../../audit.ts";
import type { NotedKey } from "../../backfills.ts";
import type { WebhookDelivery } from "../../deliveries.ts";
import type { LedgerEvent } from "../../ledger.ts";
import type { CountedRefusals } from "../../refusals.ts";
import type { LoginSession } from "../../sessions.ts";
import type {
  AccountRecord,
  AfterCommitMark,
  CapturedChange,
  IdentitySettings,
  Link,
  ToldBy,
  Work,
} from "../../store.ts";
import { AppTables, type MemoryTables, type RowWrite } from "./app-tables.ts";
import { captured, type CapturedMemoryTable, capturedTables } from "./capture.ts";
import { UndoableList, UndoableMap, UndoLog } from "./undo-log.ts";

/** A delivery with what became of it. */
export interface MemoryDelivery extends WebhookDelivery {
  readonly action: string | null;
  readonly state: "received" | "translated" | "irrelevant" | "failed";
  readonly reason: string | null;
  readonly error: TandemEvent["error"];
  readonly timesReceived: number;
  readonly runAt: Instant;
  readonly receivedAt: Instant;
}

/** A hook that is to follow a commit, with the time it is due. */
type DueMark = AfterCommitMark & { readonly runAt: Instant };

/** A link with the time it is due. */
type DueLink = Link & { readonly runAt: Instant };

/** How far a provider's log of deliveries was read, and when it is looked at again. */
interface DeliveryLogState {
  readonly position: LogPosition;
  readonly nextLookAt: Instant;
}

/** A placeholder with the app's table of users. */
type KeptPlaceholder = Placeholder & { readonly recordType: string };

/** Runs work on the state, in a transaction of its own or in the one that is open. */
export type Step = <T>(work: () => T) => Promise<T>;

export class MemoryState {
  now: () => Instant = () => instantFromMillis(Date.now());
  readonly undoLog = new UndoLog();

  readonly tables: AppTables;
  /** The digest of the mappings that were migrated last. */
  mapping: string | null = null;
  /** Rows that the app holds in a transaction of its own, as `table\nid`, and how often. */
  readonly heldRows = new Map<string, number>();
  readonly changes = new UndoableList<CapturedChange>(this.undoLog);

  readonly lanes = new UndoableMap<LaneId, Lane>(this.undoLog);
  /** The lanes that have live events. */
  readonly busyLanes = new UndoableMap<LaneId, Lane>(this.undoLog);
  readonly laneByResource = new UndoableMap<string, LaneId>(this.undoLog);
  readonly laneByLivingRecord = new UndoableMap<string, LaneId>(this.undoLog);
  readonly laneByToken = new UndoableMap<string, LaneId>(this.undoLog);
  /** The lanes a record has or had, tombstones included, in the order of their ids. */
  readonly lanesOfRecord = new UndoableMap<string, readonly LaneId[]>(this.undoLog);
  readonly ended = new UndoableList<LedgerEvent>(this.undoLog);
  /** The same by lane and, where they have none, by record. */
  readonly endedOf = new UndoableMap<string, UndoableList<LedgerEvent>>(this.undoLog);

  readonly deliveries = new UndoableMap<DeliveryId, MemoryDelivery>(this.undoLog);
  readonly deliveryByKey = new UndoableMap<string, DeliveryId>(this.undoLog);
  /** Those that are to be translated. */
  readonly pendingDeliveries = new UndoableMap<DeliveryId, MemoryDelivery>(this.undoLog);
  readonly deliveryLogs = new UndoableMap<string, DeliveryLogState>(this.undoLog);
  readonly missedDeliveries = new UndoableMap<
    string,
    { readonly logId: string; readonly missed: MissedDelivery }
  >(this.undoLog);
  readonly afterCommits = new UndoableMap<string, DueMark>(this.undoLog);
  readonly placeholders = new UndoableMap<string, KeptPlaceholder>(this.undoLog);
  readonly links = new UndoableMap<string, DueLink>(this.undoLog);

  readonly accounts = new UndoableMap<AccountId, AccountRecord>(this.undoLog);
  readonly connections = new UndoableMap<ConnectionId, Omit<Connection, "pairing">>(this.undoLog);
  readonly backfills = new UndoableMap<string, Backfill>(this.undoLog);
  readonly pairingKeys = new UndoableMap<string, KeptKey>(this.undoLog);

  /** Those that have not ended. */
  readonly heldRuns = new UndoableMap<string, HeldRun>(this.undoLog);

  readonly sessions = new UndoableMap<string, LoginSession & { readonly tokenDigest: string }>(
    this.undoLog,
  );
  readonly audit = new UndoableList<AuditEntry>(this.undoLog);
  /** By minute and cause. */
  readonly refusals = new UndoableMap<string, CountedRefusals>(this.undoLog);

  /** The instance that owns the database; written by a transaction that does nothing else. */
  instance: StoredInstance | null = null;
  readonly beats = new Map<string, Instant>();

  readonly writeListeners = new Set<(write: RowWrite) => void>();
  readonly workListeners = new Set<(work: Work) => void>();

  #captures: ReadonlyMap<string, CapturedMemoryTable> = new Map();
  readonly #counts = new Map<string, number>();
  readonly #writes = new UndoableList<RowWrite>(this.undoLog);
  #work = new Set<Work>();
  #toldByWriter = false;
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(tables: MemoryTables) {
    this.tables = new AppTables(
      tables,
      this.undoLog,
      () => this.now(),
      (write) => {
        this.#noteWrite(write);
      },
    );
  }

  /** Captures the writes to mapped or journaled tables from here on, and to no others. */
  capture(
    mappings: readonly Mapping[],
    journals: readonly Journal[],
    identities: IdentitySettings | undefined,
  ): void {
    this.#captures = capturedTables(this.tables, mappings, journals, identities);
  }

  /** The next number of a kind; like a sequence of Postgres, it takes none back. */
  count(
    kind: "lane" | "account" | "connection" | "after commit" | "link" | "held run" | "act",
  ): string {
    const next = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, next);
    return String(next);
  }

  /** Says that there is work, once the transaction has committed. */
  announceWork(work: Work): void {
    this.#work.add(work);
  }

  /** Runs `work` when all other transactions have ended; an error that it throws undoes its writes. */
  async transaction<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(() => this.#run(work));
    this.#lastTurn = turn.catch(() => undefined);
    const { result, writes, works } = await turn;
    for (const write of writes) for (const heard of this.writeListeners) heard(write);
    for (const work of works) for (const heard of this.workListeners) heard(work);
    return result;
  }

  async #run<T>(work: () => T | Promise<T>) {
    this.#work = new Set();
    try {
      const result = await work();
      const writes = this.#writes.take(Infinity);
      this.undoLog.commit();
      return { result, writes, works: this.#work };
    } catch (error) {
      this.undoLog.rollBack();
      throw error;
    }
  }

  /** Writes rows of the app; capture skips a write that the writer reports to the drain. */
  capturing<T>(toldBy: ToldBy, write: () => T): T {
    this.#toldByWriter = toldBy === "writer";
    try {
      return write();
    } finally {
      this.#toldByWriter = false;
    }
  }

  #noteWrite(write: RowWrite): void {
    this.#writes.append(write);
    if (this.#toldByWriter) return;
    const table = this.#captures.get(write.table);
    const change = table === undefined ? null : captured(table, write, this.now());
    if (change !== null) this.changes.append(change);
  }
}

/** A noted key with the backfill it belongs to. */
export interface KeptKey extends NotedKey {
  readonly of: string;
}
