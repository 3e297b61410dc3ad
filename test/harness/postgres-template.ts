/** A database with Tandem's schema, from which those of tests are copied: to migrate each took longer. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { applyMigrations } from "../../src/store/postgres/migrate.ts";
import { pgDatabase } from "../../src/store/postgres/pg-database.ts";

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
  // Whoever is connected to it holds up every copy.
  await onServer(adminUrl, `alter database ${name} with allow_connections false`);
  return {
    name,
    remove: () => onServer(adminUrl, `drop database if exists ${name} with (force)`),
  };
}

/** One statement on the server itself. */
export async function onServer(adminUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
