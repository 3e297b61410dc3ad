/** Opens the sample app for simulated histories, on the database that was asked for. */
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import type { AnyConfig, SyncConfig } from "../src/config.ts";
import { sampleConfig } from "../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../src/demo/sample-schema.ts";
import { SAMPLE_TABLES } from "../src/demo/sample-tables.ts";
import type { AppWorld } from "../src/testing/simulation/app-world.ts";
import { openMemoryWorld } from "../src/testing/simulation/memory-world.ts";
import { openSqlWorld } from "../src/testing/simulation/sql-world.ts";

export interface OpenWorld {
  readonly world: AppWorld;
  readonly close: () => Promise<void>;
}

const { tasks } = SAMPLE_TABLES;
const LABELED_TABLES = {
  ...SAMPLE_TABLES,
  tasks: { ...tasks, columns: { ...tasks.columns, labels: [] } },
};

/**
 * @param thread sets apart what several threads of a process open
 * @throws Error for a database that is none of `memory`, `pglite` and `postgres`.
 */
export async function openWorld(database: string, thread = "0"): Promise<OpenWorld> {
  switch (database) {
    case "memory": {
      const world = openMemoryWorld(LABELED_TABLES, (memory) => withLabels(sampleConfig(memory)));
      return { world, close: () => Promise.resolve() };
    }
    case "pglite":
      return openOnPglite();
    case "postgres":
      return openOnPostgres(thread);
    default:
      throw new Error(`--database "${database}" is none of memory, pglite, postgres`);
  }
}

async function openOnPglite(): Promise<OpenWorld> {
  const db = await PGlite.create("memory://");
  const world = await openSqlWorld({
    sql: async <T>(text: string, params?: unknown[]) => {
      if (params !== undefined) return (await db.query<T>(text, params)).rows;
      return ((await db.exec(text)).at(-1)?.rows ?? []) as T[];
    },
    config: withLabels(sampleConfig(db)),
    schema: SAMPLE_SCHEMA,
  });
  return { world, close: () => db.close() };
}

/** The server of `TANDEM_TEST_DATABASE_URL`, or one started here, which threads then find there. */
async function openServer(): Promise<{
  readonly url: string;
  readonly close: () => Promise<void>;
}> {
  const given = process.env.TANDEM_TEST_DATABASE_URL;
  if (given !== undefined) return { url: given, close: () => Promise.resolve() };
  const { startPostgres } = await import("../test/harness/postgres-server.ts");
  const server = await startPostgres(undefined);
  process.env.TANDEM_TEST_DATABASE_URL = server.adminUrl;
  return { url: server.adminUrl, close: () => server.stop() };
}

/** Keeps what the histories of several threads share; ended by what it returns. */
export async function openShared(database: string): Promise<() => Promise<void>> {
  return database === "postgres" ? (await openServer()).close : () => Promise.resolve();
}

/** On the server of `TANDEM_TEST_DATABASE_URL`, in a database of its own; else on one started here. */
async function openOnPostgres(thread: string): Promise<OpenWorld> {
  const server = await openServer();
  const url = new URL(server.url);
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  const name = `tandem_simulation_${String(process.pid)}_${thread}`;
  await admin.query(`create database ${name} template template0`);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 2 });
  // Dropping the database ends connections that are about to close by themselves.
  pool.on("error", () => undefined);
  const world = await openSqlWorld({
    sql: async <T>(text: string, params?: unknown[]) =>
      (await pool.query(text, params)).rows as T[],
    config: withLabels(sampleConfig(url.href)),
    schema: SAMPLE_SCHEMA,
  });
  return {
    world,
    async close() {
      await pool.end();
      await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
      await server.close();
    },
  };
}

/** The sample's mapping, with labels: a set on both sides. */
function withLabels(config: AnyConfig): AnyConfig {
  const { tasks, ...others } = config.records;
  const issue = tasks?.sync?.["github.issue"] as SyncConfig | null | undefined;
  if (tasks === undefined || issue === undefined || issue === null)
    throw new Error("the sample has no tasks");
  const fields = { ...issue.fields, labels: "labels" };
  const sync = { ...tasks.sync, "github.issue": { ...issue, fields } };
  return { ...config, records: { ...others, tasks: { ...tasks, sync } } };
}
