/** A database whose time zone is not UTC, and an app whose sessions are in it. */
import pg from "pg";
import { type TestDatabase, types } from "./databases.ts";

/** The database in a zone: what connects from here on, the app's own `sql` among it, is in it. */
export async function inZone(database: TestDatabase, zone: string): Promise<TestDatabase> {
  if (database.url === undefined) {
    await database.sql(`set timezone to '${zone}'`);
    return database;
  }
  const { pathname } = new URL(database.url);
  await database.sql(`alter database "${pathname.slice(1)}" set timezone to '${zone}'`);
  const { url } = database;
  return {
    ...database,
    sql: async <T>(text: string, params?: unknown[]) => {
      // A connection of its own: those of before the change are in the zone of before.
      const client = new pg.Client({ connectionString: url, types });
      await client.connect();
      try {
        const result: unknown = await client.query(text, params);
        const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: T[] };
        return last.rows;
      } finally {
        await client.end();
      }
    },
  };
}
