/** The databases from which those of tests are copied, since making each from nothing took longer. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { applyMigrations } from "../../src/store/postgres/migrate.ts";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { SAMPLE } from "./sample-rows.ts";

/** The first content of a database. */
export type Beginning =
  /** Nothing. */
  | "empty"
  /** The result of Tandem's migrations. */
  | "migrated"
  /** The tables of the sample app besides, with its first project and user, migrated for its mappings. */
  | "sample";

export interface PostgresTemplates {
  /** The name of the database to copy for each beginning. */
  readonly names: Readonly<Record<Beginning, string>>;
  remove(): Promise<void>;
}

export async function makeTemplates(adminUrl: string): Promise<PostgresTemplates> {
  const name = `tandem_template_${randomBytes(8).toString("hex")}`;
  const migrated = await make(adminUrl, name, "template0", async (url) => {
    const database = pgDatabase(url);
    try {
      await applyMigrations(database);
    } finally {
      await database.close();
    }
  });
  const sample = await make(adminUrl, `${name}_sample`, migrated, async (url) => {
    await onServer(url, SAMPLE);
    const tandem = await createTandem(sampleConfig(url), { environment: {} });
    try {
      await tandem.migrate();
    } finally {
      await tandem.stop();
    }
  });
  return {
    // The template of an empty database is one that nobody can be connected to, and so holds up the copy.
    names: { empty: "template0", migrated, sample },
    async remove() {
      for (const one of [sample, migrated]) await dropDatabase(adminUrl, one);
    },
  };
}

async function make(
  adminUrl: string,
  name: string,
  template: string,
  fill: (url: string) => Promise<void>,
): Promise<string> {
  await onServer(adminUrl, `create database ${name} template ${template}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  await fill(url.href);
  // A connection to the template holds up every copy.
  await onServer(adminUrl, `alter database ${name} with allow_connections false`);
  return name;
}

/** One or more statements on a database, such as the server's own. */
export async function onServer(url: string, statements: string): Promise<void> {
  await asAdmin(url, (client) => client.query(statements));
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
