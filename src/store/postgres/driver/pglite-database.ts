/** PGlite, the embedded Postgres: one process, one connection, transactions one after another. */
import type { PGlite, PGliteInterface, QueryOptions, Transaction } from "@electric-sql/pglite";
import { setImmediate as turn } from "node:timers/promises";
import { nothingSeen } from "../../beginning.ts";
import {
  AbortedTransactionError,
  type Database,
  type Queryable,
  type QueryResult,
  sqlState,
} from "../../database/index.ts";
import { KNOWN_TYPES, parserOf } from "./column-values.ts";
import { openPglite } from "./prepared-directory.ts";

const parsers = Object.fromEntries(KNOWN_TYPES.map((oid) => [oid, parserOf(oid)]));

/** PGlite takes bytes only; the text form of bytea must pass too. */
const BYTEA = 17;
const serializers = {
  [BYTEA]: (value: unknown) =>
    value instanceof Uint8Array ? `\\x${Buffer.from(value).toString("hex")}` : String(value),
};

const IN_FAILED_TRANSACTION = "25P02";

/** Wraps a PGlite, or opens one in a data directory (`memory://` keeps nothing). */
export async function pgliteDatabase(source: string | PGliteInterface): Promise<Database> {
  const owned = typeof source === "string";
  const db: PGliteInterface = owned ? inOurTypes(await openPglite(source)) : source;
  const types = isInOurTypes(db) ? {} : { parsers, serializers };
  const whole = queryable(db, types);

  const asking: Database["patient"] = {
    // PGlite answers before the event loop has turned: workers that ask on and on would let no request
    // and no timer have its turn.
    async query(text, params) {
      await turn();
      return whole.query(text, params);
    },
    async transaction(work, opening = "select", look = nothingSeen) {
      await turn();
      return db.transaction(async (tx) => {
        const own = queryable(tx, types);
        const opened = await own.query(opening);
        const result = await work(own, opened, await look(own));
        await assertNotAborted(tx);
        return result;
      });
    },
  };

  return {
    kind: "pglite",
    ...whole,
    ...asking,
    // It is a part of this process, and silent only where that is.
    patient: asking,
    async listen(channel, heard) {
      return db.listen(channel, heard);
    },
    async close() {
      if (owned) await db.close();
    },
  };
}

/**
 * Has a PGlite that nobody else uses read and write values as Tandem does. A PGlite of the app is asked to
 * with each query, and combines all its types again each time.
 */
export function inOurTypes<Own extends Pick<PGlite, "parsers" | "serializers">>(db: Own): Own {
  db.parsers = parsers;
  db.serializers = { ...db.serializers, ...serializers };
  return db;
}

function isInOurTypes(client: object): boolean {
  return "parsers" in client && client.parsers === parsers;
}

/** PGlite does not tell that a commit became a rollback, so it is found out before. */
async function assertNotAborted(tx: Transaction): Promise<void> {
  try {
    await tx.query("select");
  } catch (error) {
    throw sqlState(error) === IN_FAILED_TRANSACTION ? new AbortedTransactionError() : error;
  }
}

function queryable(client: PGliteInterface | Transaction, types: QueryOptions): Queryable {
  return {
    client,
    async query<T>(text: string, params: readonly unknown[] = []): Promise<QueryResult<T>> {
      const result = await client.query<T>(text, [...params], types);
      // PGlite counts no rows for a select.
      const count = Math.max(result.affectedRows ?? 0, result.rows.length);
      return { rows: result.rows, count };
    },
    async script(text) {
      await client.exec(text);
    },
  };
}
