/** Opens the sample app for simulated histories, on the requested database. */
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import type { AnyConfig, SyncConfig } from "../src/config.ts";
import { sampleConfig } from "../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../src/demo/sample-schema.ts";
import { SAMPLE_TABLES } from "../src/demo/sample-tables.ts";
import type { AppWorld } from "../src/testing/simulation/world/app-world.ts";
import { openMemoryWorld } from "../src/testing/simulation/world/memory-world.ts";
import type { OwnTokens } from "../src/testing/simulation/world/own-tokens.ts";
import type { WorldKind } from "../src/testing/simulation/world/places.ts";
import { openSqlWorld } from "../src/testing/simulation/world/sql-world.ts";

export interface OpenWorld {
  readonly world: AppWorld;
  readonly close: () => Promise<void>;
}

const { tasks } = SAMPLE_TABLES;
const LABELED_TABLES = {
  ...SAMPLE_TABLES,
  tasks: { ...tasks, columns: { ...tasks.columns, labels: [], assignees: [] } },
};

/**
 * @param thread Distinguishes the databases of several threads.
 * @throws Error for a database other than `memory`, `pglite` and `postgres`.
 */
export async function openWorld(
  database: string,
  kind: WorldKind = "staying",
  thread = "0",
): Promise<OpenWorld> {
  switch (database) {
    case "memory": {
      const world = openMemoryWorld(kind, LABELED_TABLES, (memory, tokens) =>
        configured(sampleConfig(memory), kind, tokens),
      );
      return { world, close: () => Promise.resolve() };
    }
    case "pglite":
      return openOnPglite(kind);
    case "postgres":
      return openOnPostgres(kind, thread);
    default:
      throw new Error(`--database "${database}" must be memory, pglite or postgres`);
  }
}

async function openOnPglite(kind: WorldKind): Promise<OpenWorld> {
  const db = await PGlite.create("memory://");
  const world = await openSqlWorld({
    kind,
    sql: async <T>(text: string, params?: unknown[]) => {
      if (params !== undefined) return (await db.query<T>(text, params)).rows;
      return ((await db.exec(text)).at(-1)?.rows ?? []) as T[];
    },
    configure: (tokens) => configured(sampleConfig(db), kind, tokens),
    schema: SAMPLE_SCHEMA,
  });
  return { world, close: () => db.close() };
}

/** The server of `TANDEM_TEST_DATABASE_URL`, or one that is started here and announced to threads there. */
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

/** Opens the server that the threads share; the returned function closes it. */
export async function openShared(database: string): Promise<() => Promise<void>> {
  return database === "postgres" ? (await openServer()).close : () => Promise.resolve();
}

/** Opens a new database on the server of `TANDEM_TEST_DATABASE_URL`, or on one that is started here. */
async function openOnPostgres(kind: WorldKind, thread: string): Promise<OpenWorld> {
  const server = await openServer();
  const url = new URL(server.url);
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  const name = `tandem_simulation_${String(process.pid)}_${thread}`;
  await admin.query(`create database ${name} template template0`);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 2 });
  // Dropping the database breaks connections that are about to close anyway.
  pool.on("error", () => undefined);
  const world = await openSqlWorld({
    kind,
    sql: async <T>(text: string, params?: unknown[]) =>
      (await pool.query(text, params)).rows as T[],
    configure: (tokens) => configured(sampleConfig(url.href), kind, tokens),
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

/** The sample's mapping, with labels as a set on both sides and, in a moving world, users' own tokens. */
function configured(config: AnyConfig, kind: WorldKind, { give }: OwnTokens): AnyConfig {
  const { tasks, comments, ...others } = config.records;
  const issue = tasks?.sync?.["github.issue"] as SyncConfig | null | undefined;
  const comment = comments?.sync?.["github.issue_comment"] as SyncConfig | null | undefined;
  if (issue === undefined || issue === null || comment === undefined || comment === null)
    throw new Error("the sample has tasks and comments");
  const sets =
    kind === "polling" ? { labels: "labels", assignees: "assignees" } : { labels: "labels" };
  const labeled = { ...issue, fields: { ...issue.fields, ...sets } };
  const records = { ...others, tasks: { ...tasks, sync: { "github.issue": labeled } }, comments };
  if (kind !== "moving") return { ...config, records } as AnyConfig;
  const ofTask = { ...labeled, author: "owner_id" };
  const ofComment = { ...comment, author: "author_id" };
  return {
    ...config,
    identities: { ...config.identities, token: give },
    records: {
      ...records,
      tasks: { ...tasks, sync: { "github.issue": ofTask } },
      comments: { ...comments, sync: { "github.issue_comment": ofComment } },
    },
  } as AnyConfig;
}
