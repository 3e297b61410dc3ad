/** The app's own rows, and what was captured of writes to them. */
import type { ScopeMisfit } from "../model/connection.ts";
import type { Json } from "../model/content.ts";
import type { EventId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { ActorReference, CapturedWrite, Mapping, Row, RowPatch } from "../model/mapping.ts";
import type { WallClock } from "../model/wall-clock.ts";

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
 * The reporter of Tandem's own write to the drain. `trigger`: the table's trigger, as for any other write.
 * `writer`: the writing code, which has seen the result, by `ChangeStore.note`. The writes that an app's
 * trigger makes in answer are always captured.
 */
export type ToldBy = "trigger" | "writer";

/** Rows that were locked because nobody held them. */
export interface FreeRows {
  readonly rows: ReadonlyMap<string, Row>;
  /** The captured, undrained writes of every requested row, read after the locks were taken. */
  readonly captured: readonly CapturedChange[];
}

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
  /** By which clock the stamp of a mapping's rows is written; `null` where it carries its zone, or is none. */
  stampClock(mapping: Mapping): Promise<WallClock | null>;
  /** Why no row may have this value in its scope column; `null`: nothing speaks against it. */
  misfitOfScope(mapping: Mapping, scope: string): Promise<ScopeMisfit | null>;
  /** Locks a row if nobody holds it. */
  lock(
    mapping: Mapping,
    id: string,
  ): Promise<
    { readonly status: "locked"; readonly row: Row } | { readonly status: "missing" | "busy" }
  >;
  /** Locks the rows that no other transaction holds; held and deleted rows are absent. */
  lockFree(mapping: Mapping, ids: readonly string[]): Promise<FreeRows>;
  insert(
    mapping: Mapping,
    patch: RowPatch,
    origin: EventId,
  ): Promise<{ readonly id: string; readonly row: Row }>;
  /**
   * Inserts rows at once, in their order; `null` where no key is known before its row is there. From here on
   * nothing is waited for as long as a deadlock is looked for, nor after `updateAll`.
   */
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
   * Lets the app's own code write, marked as ours. An error that it throws undoes its writes, and the
   * transaction stays usable; a refusal by a table comes as a `RecordWriteError`.
   */
  lend<T>(
    origin: EventId,
    work: (sql: AppSql) => Promise<T>,
    /** Rejects when the work has had its time. It may still be at it, so the transaction is lost. */
    late?: Promise<never>,
  ): Promise<T>;
  /** Runs `work`. An error that it throws undoes its writes, and the transaction stays usable. */
  attempt<T>(work: () => Promise<T>): Promise<T>;
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

/** A captured write with its record. */
export interface CapturedChange extends CapturedWrite {
  readonly recordType: string;
  readonly recordId: string;
  /** Columns of a journaled table before and after, of a write that is not ours. */
  readonly journal: Readonly<Record<string, { readonly from: Json; readonly to: Json }>> | null;
}

export interface ChangeStore {
  /**
   * Removes captured writes and returns them oldest first; writes that other drains hold are skipped. A
   * transaction of many rows does not delay later ones: some writes of each are taken. So it may return
   * more than `limit`.
   */
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
