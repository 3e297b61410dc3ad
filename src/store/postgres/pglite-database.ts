/** PGlite, the embedded Postgres: one process, one connection, transactions one after another. */
import { PGlite, type PGliteInterface, type Transaction } from "@electric-sql/pglite";
import {
  AbortedTransactionError,
  type Database,
  type Queryable,
  type QueryResult,
  sqlState,
} from "../database.ts";
import { KNOWN_TYPES, parserOf } from "./column-values.ts";

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
  const db: PGliteInterface = owned ? await PGlite.create(source) : source;

  return {
    kind: "pglite",
    ...queryable(db),
    transaction: (work) =>
      db.transaction(async (tx) => {
        const result = await work(queryable(tx));
        await assertNotAborted(tx);
        return result;
      }),
    async listen(channel, heard) {
      return db.listen(channel, heard);
    },
    async close() {
      if (owned) await db.close();
    },
  };
}

/** PGlite does not tell that a commit became a rollback, so it is found out before. */
async function assertNotAborted(tx: Transaction): Promise<void> {
  try {
    await tx.query("select");
  } catch (error) {
    throw sqlState(error) === IN_FAILED_TRANSACTION ? new AbortedTransactionError() : error;
  }
}

function queryable(client: PGliteInterface | Transaction): Queryable {
  return {
    client,
    async query<T>(text: string, params: readonly unknown[] = []): Promise<QueryResult<T>> {
      const result = await client.query<T>(text, [...params], { parsers, serializers });
      // PGlite counts no rows for a select.
      const count = Math.max(result.affectedRows ?? 0, result.rows.length);
      return { rows: result.rows, count };
    },
    async script(text) {
      await client.exec(text);
    },
  };
}
