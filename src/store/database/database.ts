/**
 * The one seam between Tandem and a database driver: `pg` and PGlite look the same behind it.
 *
 * Values come back the same from both: bigints and decimals as text (they go beyond 2^53), times
 * as the text Postgres writes (a `Date` would lose microseconds), JSON parsed. A parameter given as
 * text goes to the database as it is, whatever its type.
 */
import type { Instant } from "../../model/instant.ts";

export interface Queryable {
  /** The driver's own client or pool behind it. */
  readonly client: object;
  /** Runs one statement. Parameters are `$1`, `$2`, ... */
  query<T = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
  ): Promise<QueryResult<T>>;
  /** Runs several statements without parameters, such as a migration. */
  script(text: string): Promise<void>;
  /**
   * Closes the transaction's connection, because the app's code may still be using it: its later
   * statements must reach no other transaction. Absent if the end of a transaction ensures that.
   */
  readonly abandon?: () => void;
}

export interface QueryResult<T> {
  readonly rows: readonly T[];
  /** Rows returned or touched. */
  readonly count: number;
}

/** The last statement of a transaction. */
export interface Closing {
  /** A statement without parameters that does not fail: with it, the commit would. */
  readonly text: string;
  /** Called with its row once the commit is confirmed. */
  readonly told: (row: Record<string, unknown>) => void;
}

export interface Database extends Queryable {
  readonly kind: "postgres" | "pglite";
  /**
   * Runs `work` in one transaction; an error that `work` throws rolls it back.
   *
   * @param opening A statement without parameters that goes with the begin, in one round trip: `work` is
   * given what it returns.
   * @param look Asks more in that round trip, and only reads: should the begin fail, there is no transaction.
   * @param closing Goes with the commit, in one round trip; asked for when all else is done.
   * @throws ConnectionLostError when the connection broke on the way.
   */
  transaction<T, Seen = undefined>(
    work: (tx: Queryable, opened: QueryResult<Record<string, unknown>>, seen: Seen) => Promise<T>,
    opening?: string,
    look?: (tx: Queryable) => Promise<Seen>,
    closing?: () => Closing | null,
  ): Promise<T>;
  /** For what reads or changes whole tables: an answer is waited for longer. */
  readonly patient: Pick<Database, "query" | "transaction">;
  /**
   * Calls `heard` at each notification with what it says; a hint that may be lost. Without a word where
   * some may have been missed. Returns how to stop.
   */
  listen(channel: string, heard: (said: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** The connection broke within a transaction. */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
  readonly code = "08006";
  /** `unknown`: it broke during the commit, which may have taken effect. */
  readonly outcome: "rolled_back" | "unknown";

  constructor(outcome: "rolled_back" | "unknown", cause: unknown) {
    super(
      outcome === "unknown"
        ? "the connection to the database was lost during a commit; it may have taken effect"
        : "the connection to the database was lost; the transaction was rolled back",
      { cause },
    );
    this.outcome = outcome;
  }
}

/**
 * The pool gave no connection within its patience. The trouble is temporary, but the caller has already
 * waited, so the store does not immediately repeat the transaction.
 */
export class NoConnectionError extends Error {
  override readonly name = "NoConnectionError";
  readonly code = "08001";
  /** `busy`: all of this process' connections were in use; `unreachable`: the database gave none. */
  readonly reason: "busy" | "unreachable";

  constructor(reason: "busy" | "unreachable", cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      reason === "busy"
        ? `all connections of this process were in use: ${why}`
        : `the database gave no connection: ${why}`,
      { cause },
    );
    this.reason = reason;
  }
}

/** The database has not answered within the time that somebody would wait. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";

  constructor(millis: number) {
    super(`the database did not answer within ${String(millis / 1_000)} seconds`);
  }
}

/** The database takes no writes: a standby, or a primary that was fenced off. */
export class ReadOnlyDatabaseError extends Error {
  override readonly name = "ReadOnlyDatabaseError";
  readonly code = "25006";

  constructor() {
    super("the database takes no writes: it is a standby, or was made read-only");
  }
}

/**
 * The database is another than it was: what this process saw it commit may be lost. Not repeated by
 * itself, for what led to the transaction may be lost, too.
 */
export class LostWorkError extends Error {
  override readonly name = "LostWorkError";
  /** Postgres' code for an error of the system around it. */
  readonly code = "58000";
  /** When a transaction began that is certainly lost; `null`: whether one is, is looked at now. */
  readonly lost: Instant | null;

  constructor(lost: Instant | null) {
    super(
      lost === null
        ? "the database may be another than it was: it is looked at before anything is done"
        : "the database lost work that was committed: a replica without it took over, or storage was set back",
    );
    this.lost = lost;
  }
}

/** Work swallowed an error: its transaction could only be rolled back. */
export class AbortedTransactionError extends Error {
  override readonly name = "AbortedTransactionError";

  constructor() {
    super("the transaction was rolled back because a statement in it had failed");
  }
}

/** Postgres' codes for failures that pass when the transaction is run again. */
const PASSING = new Set([
  "40001",
  "40P01",
  "55P03",
  "57P01",
  "57P02",
  "57P03",
  // On another connection: where the address leads elsewhere by now.
  "25006",
  "08001",
  "08006",
  "08003",
  "53300",
]);

/** The SQLSTATE of a driver's error, or `null`. */
export function sqlState(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

/** Whether others were met: a deadlock, a failed serialization, or a lock that was held for too long. */
export function isContention(error: unknown): boolean {
  return ["40001", "40P01", "55P03"].includes(sqlState(error) ?? "");
}

/** Whether the same transaction may succeed if it is run again, and cannot have taken effect. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ConnectionLostError && error.outcome === "unknown") return false;
  const state = sqlState(error);
  return (
    state !== null &&
    (PASSING.has(state) || /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET)/.test(state))
  );
}
