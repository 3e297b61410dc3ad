/** Postgres through `pg`. */
import pg from "pg";
import type { Database, QueryResult } from "../database.ts";

/** Types that must not become JavaScript numbers or dates: they come back as Postgres wrote them. */
const AS_TEXT = new Set([20, 1082, 1083, 1114, 1184, 1186, 1266, 1700]);

const types: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (AS_TEXT.has(oid)) return (value: string) => value;
    return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
  },
};

/** Wraps a pool; `close` ends it only if we opened it. */
export function pgDatabase(source: string | pg.Pool): Database {
  const owned = typeof source === "string";
  const pool = owned ? new pg.Pool({ connectionString: source, max: 10 }) : source;
  // A lost idle connection is not a crash: the pool opens another.
  if (owned) pool.on("error", () => undefined);

  return {
    kind: "postgres",
    query: (text, params) => run(pool, text, params),
    async script(text) {
      await pool.query(text);
    },
    async transaction(work) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query("begin");
        const result = await work({ query: (text, params) => run(client, text, params) });
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback").catch((rollback: unknown) => {
          broken = rollback instanceof Error ? rollback : new Error(String(rollback));
        });
        throw error;
      } finally {
        client.release(broken);
      }
    },
    listen: (channel, heard) => listen(pool, channel, heard),
    async close() {
      if (owned) await pool.end();
    },
  };
}

async function run<T>(
  client: Pick<pg.ClientBase, "query"> | pg.Pool,
  text: string,
  params: readonly unknown[] = [],
): Promise<QueryResult<T>> {
  const result = await client.query<T & pg.QueryResultRow>({ text, values: [...params], types });
  return { rows: result.rows, count: result.rowCount ?? 0 };
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
