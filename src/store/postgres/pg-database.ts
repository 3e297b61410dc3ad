/** Postgres through `pg`. */
import pg from "pg";
import {
  AbortedTransactionError,
  ConnectionLostError,
  type Database,
  type Queryable,
  type QueryResult,
} from "../database.ts";
import { parserOf } from "./column-values.ts";

const types: pg.CustomTypesConfig = {
  // Everything is asked for as text, so the format never differs.
  getTypeParser: (oid) => parserOf(oid),
};

/** Wraps a pool; `close` ends it only if we opened it. */
export function pgDatabase(source: string | pg.Pool): Database {
  const owned = typeof source === "string";
  const pool = owned ? new pg.Pool({ connectionString: source, max: 10 }) : source;
  // A lost idle connection is not a crash: the pool opens another.
  if (owned) pool.on("error", () => undefined);

  return {
    kind: "postgres",
    ...queryable(pool),
    transaction: (work) => inTransaction(pool, work),
    listen: (channel, heard) => listen(pool, channel, heard),
    async close() {
      if (owned) await pool.end();
    },
  };
}

async function inTransaction<T>(pool: pg.Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let lost: Error | undefined;
  let committing = false;
  const noteLoss = (error: Error) => {
    lost = error;
  };
  // The pool listens only while a client is idle; unheard, a lost connection would end the process.
  client.on("error", noteLoss);
  try {
    await client.query("begin");
    const result = await work(queryable(client));
    committing = true;
    const ended = await client.query("commit");
    if (ended.command !== "COMMIT") throw new AbortedTransactionError();
    return result;
  } catch (error) {
    await client.query("rollback").catch(noteLoss);
    if (lost !== undefined) {
      throw new ConnectionLostError(committing ? "unknown" : "rolled_back", error);
    }
    throw error;
  } finally {
    client.off("error", noteLoss);
    client.release(lost);
  }
}

function queryable(client: pg.ClientBase | pg.Pool): Queryable {
  return {
    async query<T>(text: string, params: readonly unknown[] = []): Promise<QueryResult<T>> {
      const config = { text, values: [...params], types };
      const result = await client.query<T & pg.QueryResultRow>(config);
      return { rows: result.rows, count: result.rowCount ?? 0 };
    },
    async script(text) {
      await client.query(text);
    },
  };
}

/** A connection of its own; if it is lost, the poll beside it still finds the work. */
async function listen(
  pool: pg.Pool,
  channel: string,
  heard: () => void,
): Promise<() => Promise<void>> {
  const client = new pg.Client(pool.options);
  client.on("notification", heard);
  client.on("error", () => undefined);
  await client.connect();
  await client.query(`listen ${pg.escapeIdentifier(channel)}`);
  return () => client.end();
}
