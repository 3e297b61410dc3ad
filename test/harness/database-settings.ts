/** A database with a setting of its own, as its time zone or search path, and an app whose sessions have it. */
import pg from "pg";
import { type TestDatabase, types } from "./databases.ts";

/** The database in a time zone. */
export function inZone(database: TestDatabase, zone: string): Promise<TestDatabase> {
  return withSetting(database, "timezone", `'${zone}'`);
}

/** The database with a setting: what connects from here on, the app's own `sql` among it, has it. */
export async function withSetting(
  database: TestDatabase,
  name: string,
  to: string,
): Promise<TestDatabase> {
  if (database.url === undefined) {
    await database.sql(`set ${name} to ${to}`);
    return database;
  }
  const { pathname } = new URL(database.url);
  await database.sql(`alter database "${pathname.slice(1)}" set ${name} to ${to}`);
  const { url } = database;
  return {
    ...database,
    sql: async <T>(text: string, params?: unknown[]) => {
      // A connection of its own: those of before the change are as they were before.
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
