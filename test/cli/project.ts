/** A user's project in a folder of its own: a configuration, and a database with the app's tables. */
import { mkdirSync, mkdtempSync, openAsBlob, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { inject } from "vitest";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { systemClock } from "../../src/runtime/services/system-clock.ts";
import {
  createGitHubSimulator,
  type GitHubSimulator,
  type Listening,
} from "../../src/testing/github/index.ts";
import { seededRandom } from "../../src/testing/random.ts";
import type { DatabaseKind } from "../harness/database-kinds.ts";
import { openTestDatabase } from "../harness/databases.ts";

export interface Project {
  readonly folder: string;
  /** Runs plain SQL as the app would; the rows are those of the last statement. */
  sql<T>(text: string): Promise<readonly T[]>;
  remove(): Promise<void>;
}

/** A temporary folder, removed by whoever made it. */
export function makeFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "tandem-cli-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** The settings of one story's configuration beside those that all stories share. */
export interface ConfigLines {
  readonly top?: string;
  readonly sync?: string;
}

/** A user's configuration, as TypeScript that Node 20 cannot read without help. */
export function configText(database?: string, { top = "", sync = "" }: ConfigLines = {}): string {
  return `
import { defineConfig, reference } from "tandem-sync";
import { github } from "tandem-sync/github";

const scope: string = "project_id";

export default defineConfig({
  ${database === undefined ? "" : `database: ${JSON.stringify(database)},`}
  integrations: { github: github() },
  ${top}
  identities: { table: "users", login: { github: "github_login" } },
  records: {
    tasks: {
      sync: {
        "github.issue": {
          scope,
          softDelete: "deleted_at",
          modifiedAt: "modified_at",
          ${sync}
          fields: { title: "title", markdown: "body", owner_id: reference("author", "users") },
        },
      },
    },
  },
});
`;
}

/** The app's tables and one project are there; Tandem's schema is not. */
export async function openProject(kind: DatabaseKind, lines?: ConfigLines): Promise<Project> {
  const setup = `${SAMPLE_SCHEMA}; insert into projects (name) values ('Website')`;
  if (kind === "postgres") {
    const database = await openTestDatabase("postgres");
    await database.sql(setup);
    const folder = makeFolder({ "tandem.config.ts": configText(database.url, lines) });
    return {
      folder,
      sql: (text) => database.sql(text),
      async remove() {
        await database.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }
  const folder = makeFolder({ "tandem.config.ts": configText(undefined, lines) });
  const data = join(folder, ".tandem", "data");
  mkdirSync(join(folder, ".tandem"));
  await copyFreshDatabase(data);
  const sql = async <T>(text: string): Promise<readonly T[]> => {
    const pglite = await PGlite.create(data);
    try {
      return ((await pglite.exec(text)).at(-1)?.rows ?? []) as T[];
    } finally {
      await pglite.close();
    }
  };
  await sql(setup);
  return {
    folder,
    sql,
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A copy is faster than a new database. */
async function copyFreshDatabase(data: string): Promise<void> {
  const dump = inject("pgliteDataDir");
  if (dump === null) throw new Error("TANDEM_TEST_DATABASES leaves PGlite out of this run");
  await (await PGlite.create(data, { loadDataDir: await openAsBlob(dump) })).close();
}

export interface SimulatedGitHub {
  readonly simulator: GitHubSimulator;
  readonly listening: Listening;
}

/** A GitHub over HTTP with the repository `acme/site`; `bot-token` is Tandem's. */
export async function openGitHub(): Promise<SimulatedGitHub> {
  const simulator = createGitHubSimulator({ clock: systemClock, random: seededRandom(1) });
  simulator.createRepository({ owner: "acme", name: "site" });
  simulator.token("bot-token", { login: "tandem[bot]" });
  simulator.faults.webhooks.delayMs = 0;
  return { simulator, listening: await simulator.listen() };
}
