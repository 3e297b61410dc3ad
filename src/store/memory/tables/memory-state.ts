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
import type { ConnectionId } from "../../../model/ids.ts";
import { type Instant, instantFromMillis } from "../../../model/instant.ts";
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
  IdentitySettings,
  Link,
  ToldBy,
  Work,
} from "../../store.ts";
import { AppTables, type MemoryTables, type RowWrite } from "./app-tables.ts";
import { captured, type CapturedMemoryTable, capturedTables } from "./capture.ts";
import { ChangeTable } from "./change-table.ts";
import { laneTable, recordKey } from "./lane-table.ts";
import { Table } from "./table.ts";
import { UndoLog } from "./undo-log.ts";

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
  readonly logId: string;
  readonly position: LogPosition;
  readonly nextLookAt: Instant;
}

/** A delivery that the provider could not deliver, with its log. */
interface KeptMiss {
  readonly logId: string;
  readonly missed: MissedDelivery;
}

/** A placeholder with the app's table of users. */
type KeptPlaceholder = Placeholder & { readonly recordType: string };

type KeptSession = LoginSession & { readonly tokenDigest: string };

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
  readonly changes = new ChangeTable(this.undoLog);

  readonly lanes = laneTable(this.undoLog);
  readonly ended = new Table(this.undoLog, {
    key: ({ id }: LedgerEvent) => id,
    indexes: {
      lane: ({ laneId }: LedgerEvent) => laneId,
      /** A record's own writes, which have no lane. */
      journal: (event: LedgerEvent) => (event.laneId === null ? recordKey(event) : null),
    },
  });

  readonly deliveries = new Table(this.undoLog, {
    key: ({ id }: MemoryDelivery) => id,
    indexes: {
      deliveryKey: deliveryKeyOf,
      pending: ({ state }: MemoryDelivery) => state === "received" || state === "failed" || null,
    },
    unique: ["deliveryKey"],
  });
  readonly deliveryLogs = new Table(this.undoLog, { key: ({ logId }: DeliveryLogState) => logId });
  readonly missedDeliveries = new Table(this.undoLog, {
    key: ({ logId, missed }: KeptMiss) => missKeyOf(logId, missed.deliveryKey),
    indexes: { log: ({ logId }: KeptMiss) => logId },
  });
  readonly afterCommits = new Table(this.undoLog, { key: ({ id }: DueMark) => id });
  readonly placeholders = new Table(this.undoLog, {
    key: (one: KeptPlaceholder) => placeholderKeyOf(one),
  });
  readonly links = new Table(this.undoLog, { key: ({ id }: DueLink) => id });

  readonly accounts = new Table(this.undoLog, { key: ({ id }: AccountRecord) => id });
  readonly connections = new Table(this.undoLog, {
    key: ({ id }: Omit<Connection, "pairing">) => id,
  });
  readonly backfills = new Table(this.undoLog, {
    key: ({ connectionId, resourceType }: Backfill) => backfillKeyOf(connectionId, resourceType),
  });
  readonly pairingKeys = new Table(this.undoLog, {
    key: ({ of, side, id }: KeptKey) => `${of}\n${side}\n${id}`,
    indexes: { backfill: ({ of }: KeptKey) => of },
  });

  /** Those that have not ended. */
  readonly heldRuns = new Table(this.undoLog, { key: ({ id }: HeldRun) => id });

  readonly sessions = new Table(this.undoLog, { key: ({ id }: KeptSession) => id });
  readonly audit = new Table(this.undoLog, { key: ({ id }: AuditEntry) => id });
  /** By minute and cause. */
  readonly refusals = new Table(this.undoLog, { key: (one: CountedRefusals) => refusalKeyOf(one) });

  /** The instance that owns the database; written by a transaction that does nothing else. */
  instance: StoredInstance | null = null;
  readonly beats = new Map<string, Instant>();

  readonly writeListeners = new Set<(write: RowWrite) => void>();
  readonly workListeners = new Set<(work: Work) => void>();

  #captures: ReadonlyMap<string, CapturedMemoryTable> = new Map();
  readonly #counts = new Map<string, number>();
  #writes: RowWrite[] = [];
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
    this.#writes = [];
    try {
      const result = await work();
      const writes = this.#writes;
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
    const writes = this.#writes;
    this.undoLog.note(() => writes.pop());
    writes.push(write);
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

export function deliveryKeyOf({
  integration,
  deliveryKey,
}: Pick<WebhookDelivery, "integration" | "deliveryKey">): string {
  return `${integration}\n${deliveryKey}`;
}

export function missKeyOf(logId: string, deliveryKey: string): string {
  return `${logId}\n${deliveryKey}`;
}

export function placeholderKeyOf({
  recordType,
  recordId,
}: Pick<KeptPlaceholder, "recordType" | "recordId">): string {
  return `${recordType}\n${recordId}`;
}

export function backfillKeyOf(connection: ConnectionId, resourceType: string): string {
  return `${connection}\n${resourceType}`;
}

export function refusalKeyOf({
  lastAt,
  integration,
  code,
}: Omit<CountedRefusals, "count">): string {
  return `${String(lastAt)} ${integration} ${code}`;
}
