/** Postgres through `pg`. */
import { setTimeout as delay } from "node:timers/promises";
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
  const pool = owned ? openPool(source) : source;
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

function openPool(connectionString: string): pg.Pool {
  return new pg.Pool({
    connectionString,
    max: 10,
    // Times are read in this style; a database or a role may have another.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it, though its types do not say so
    onConnect: (client) => client.query("set datestyle to iso"),
  });
}

async function inTransaction<T>(pool: pg.Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let lost: Error | undefined;
  const connection = { abandoned: false };
  let committing = false;
  const noteLoss = (error: Error) => {
    lost = error;
  };
  // The pool listens only while a client is idle; unheard, a lost connection would end the process.
  client.on("error", noteLoss);
  try {
    await client.query("begin");
    const abandon = () => {
      connection.abandoned = true;
    };
    const result = await work({ ...queryable(client), abandon });
    committing = true;
    const ended = await client.query("commit");
    if (ended.command !== "COMMIT") throw new AbortedTransactionError();
    return result;
  } catch (error) {
    // A rollback would wait for what is still being asked on an abandoned connection.
    if (!connection.abandoned) await client.query("rollback").catch(noteLoss);
    if (lost !== undefined && !connection.abandoned) {
      throw new ConnectionLostError(committing ? "unknown" : "rolled_back", error);
    }
    throw error;
  } finally {
    client.off("error", noteLoss);
    client.release(lost ?? connection.abandoned);
  }
}

function queryable(client: pg.ClientBase | pg.Pool): Queryable {
  return {
    client,
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

const LISTEN_AGAIN_MS = 1_000;

/**
 * A connection of its own, opened again when it is lost; whoever listens is then called once, for
 * what was said meanwhile was missed.
 */
async function listen(
  pool: pg.Pool,
  channel: string,
  heard: () => void,
): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  let client = await open();

  async function open(): Promise<pg.Client> {
    const opened = new pg.Client(pool.options);
    opened.on("error", () => undefined);
    opened.on("notification", heard);
    await opened.connect();
    await opened.query(`listen ${pg.escapeIdentifier(channel)}`);
    opened.once("end", () => void openAgain());
    return opened;
  }

  async function openAgain(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await delay(LISTEN_AGAIN_MS, undefined, { signal: stopping.signal, ref: false });
        client = await open();
        heard();
        return;
      } catch {
        // The database is still away, or we were told to stop.
      }
    }
  }

  return async () => {
    stopping.abort();
    await client.end();
  };
}
