/** A database with Tandem's schema, from which those of tests are copied: to migrate each took longer. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { applyMigrations } from "../../src/store/postgres/migrate.ts";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";

export interface PostgresTemplate {
  readonly name: string;
  remove(): Promise<void>;
}

export async function makeTemplate(adminUrl: string): Promise<PostgresTemplate> {
  const name = `tandem_template_${randomBytes(8).toString("hex")}`;
  await onServer(adminUrl, `create database ${name} template template0`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const database = pgDatabase(url.href);
  try {
    await applyMigrations(database);
  } finally {
    await database.close();
  }
  // A connection to the template holds up every copy.
  await onServer(adminUrl, `alter database ${name} with allow_connections false`);
  return {
    name,
    remove: () => dropDatabase(adminUrl, name),
  };
}

/** One statement on the server itself. */
export async function onServer(adminUrl: string, statement: string): Promise<void> {
  await asAdmin(adminUrl, (client) => client.query(statement));
}

/** How often it is asked whether all are gone, before the server is left to wait for them. */
const ASKED_AT_MOST = 200;

/**
 * Ends whoever is connected, and drops the database once they have left: a drop that meets somebody
 * who is leaving sleeps for a tenth of a second, which was a fifth of the time of a test.
 */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await asAdmin(adminUrl, async (client) => {
    for (let asked = 0; asked < ASKED_AT_MOST; asked += 1) {
      const { rowCount } = await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
        [name],
      );
      if (rowCount === 0) break;
    }
    await client.query(`drop database if exists ${name} with (force)`);
  });
}

async function asAdmin(adminUrl: string, work: (client: pg.Client) => Promise<unknown>) {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
