/** PGlite, the embedded Postgres: one process, one connection, transactions one after another. */
import { PGlite, type PGliteInterface, type Transaction } from "@electric-sql/pglite";
import type { Database, QueryResult } from "../database.ts";

const asText = (value: string): string => value;

/** Types that must not become JavaScript numbers or dates: they come back as Postgres wrote them. */
const parsers = Object.fromEntries(
  [20, 1082, 1083, 1114, 1184, 1186, 1266, 1700].map((oid) => [oid, asText]),
);

/** Wraps a PGlite, or opens one in a data directory (`memory://` keeps nothing). */
export async function pgliteDatabase(source: string | PGliteInterface): Promise<Database> {
  const owned = typeof source === "string";
  const db: PGliteInterface = owned ? await PGlite.create(source) : source;

  return {
    kind: "pglite",
    query: (text, params) => run(db, text, params),
    async script(text) {
      await db.exec(text);
    },
    transaction: (work) =>
      db.transaction((tx) => work({ query: (text, params) => run(tx, text, params) })),
    async listen(channel, heard) {
      return db.listen(channel, heard);
    },
    async close() {
      if (owned) await db.close();
    },
  };
}

async function run<T>(
  client: PGliteInterface | Transaction,
  text: string,
  params: readonly unknown[] = [],
): Promise<QueryResult<T>> {
  const result = await client.query<T>(text, [...params], { parsers });
  return { rows: result.rows, count: result.affectedRows ?? result.rows.length };
}
