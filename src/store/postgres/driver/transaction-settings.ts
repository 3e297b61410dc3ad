/** The settings of a transaction: how long it waits, and how long it may stay idle. */
import { type Instant, parseInstant } from "../../../model/instant.ts";
import {
  type Database,
  type Queryable,
  type QueryResult,
  ReadOnlyDatabaseError,
  tell,
} from "../../database/index.ts";
import type { Beginning } from "../../store.ts";

/** A process that was stopped holds rows of the app: the database lets go of them for it. */
const STILL_MS = 10_000;

/** A lock is waited for briefly, since what holds it may wait for us. */
const WAIT_MS = 5_000;

/**
 * Sets what holds for the transaction and asks the time. Nothing is held for long by a process that
 * stands still; PGlite has no timers. The date style decides how times are written, and ISO is what we read.
 *
 * @param more columns to be asked for, each after a comma
 */
export function opening(
  kind: Database["kind"],
  {
    waitAtMost = WAIT_MS,
    pauseAtMost,
  }: Pick<Beginning<unknown>, "waitAtMost" | "pauseAtMost"> = {},
  more = "",
): string {
  const [still, statement] = kind === "postgres" ? [pauseAtMost ?? STILL_MS, pauseAtMost] : [0];
  return `
    select
      set_config('lock_timeout', '${String(waitAtMost)}', true),
      set_config('idle_in_transaction_session_timeout', '${String(still)}', true),
      ${statement === undefined ? "" : `set_config('statement_timeout', '${String(statement)}', true),`}
      set_config('datestyle', 'ISO', true),
      current_setting('transaction_read_only') as read_only,
      to_json(tandem.now()) #>> '{}' as now
      ${more}`;
}

/** The time of a transaction. */
export function timeOf({ rows }: QueryResult<Record<string, unknown>>): Instant {
  const [row] = rows;
  if (row === undefined) throw new Error("the database told no time");
  // At once: what is read there may be old, and a write would be refused anyway.
  if (row.read_only === "on") throw new ReadOnlyDatabaseError();
  return parseInstant(String(row.now));
}

/** Meanwhile no statement waits longer for what somebody else holds; afterwards it is as it was before. */
export async function waitingAtMost<T>(
  tx: Queryable,
  millis: number,
  work: () => Promise<T>,
): Promise<T> {
  tell(tx, "select set_config('tandem.lock_timeout', current_setting('lock_timeout'), true)");
  tell(tx, "select set_config('lock_timeout', $1, true)", [`${String(millis)}ms`]);
  const result = await work();
  tell(tx, "select set_config('lock_timeout', current_setting('tandem.lock_timeout'), true)");
  return result;
}

/**
 * From here on the database ends the transaction should it stand still for so long, or one of its
 * statements. PGlite has no timers: there the process is all there is.
 */
export function allowPauses(tx: Queryable, kind: Database["kind"], millis: number): Promise<void> {
  if (kind === "postgres") {
    tell(
      tx,
      `select
         set_config('idle_in_transaction_session_timeout', $1, true),
         set_config('statement_timeout', $1, true)`,
      [String(millis)],
    );
  }
  return Promise.resolve();
}
