/** Bringing Tandem's schema up to date: numbered files, each applied once, in order. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { Journal, Mapping } from "../../model/mapping.ts";
import type { Database, Queryable } from "../database/index.ts";
import { MigrationError } from "../database/index.ts";
import type { IdentitySettings } from "../store.ts";
import { installCaptureTriggers } from "./capture/index.ts";
import { withBriefLock } from "./driver/index.ts";
import { installResourceViews } from "./ledger/index.ts";
import { noteMappings } from "./schema-facts.ts";

/** One numbered file of `migrations/`. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly digest: string;
  readonly text: string;
  /** The migration that code must know to work with the schema from here on; 0: any. */
  readonly needs: number;
}

/** The same depth below the package in `src` and in `dist`. */
const FOLDER = new URL("../../../migrations/", import.meta.url);

/** Reads the migrations that this version of Tandem brings, in order. */
export async function readMigrations(folder: URL = FOLDER): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      // Git may have changed the ends of lines; that is no change of the migration.
      const text = (await readFile(new URL(file, folder), "utf8")).replaceAll("\r\n", "\n");
      return {
        version: Number(file.slice(0, 4)),
        name: file.slice(5, -".sql".length),
        digest: createHash("sha256").update(text).digest("hex").slice(0, 32),
        text,
        needs: Number(/^-- +Needs code that knows migration (\d+)\.$/m.exec(text)?.[1] ?? 0),
      };
    }),
  );
}

/** Applies what is missing, then the triggers and views of the mappings. */
export async function migrate(
  database: Database,
  mappings: readonly Mapping[],
  journals: readonly Journal[] = [],
  identities?: IdentitySettings,
  migrations?: readonly Migration[],
  timeZone: string | null = null,
): Promise<void> {
  await applyMigrations(database, migrations);
  await installCaptureTriggers(database, mappings, journals, identities, timeZone);
  await installResourceViews(database, mappings);
  await noteMappings(database, mappings);
}

/** Applies what is missing, and nothing that a mapping decides. */
export async function applyMigrations(
  database: Database,
  migrations?: readonly Migration[],
): Promise<void> {
  const known = migrations ?? (await readMigrations());
  while (await applyNext(database, known));
}

const BOOTSTRAP = `
create schema if not exists tandem;
create table if not exists tandem.migrations (
  version integer primary key,
  name text not null,
  digest text not null,
  applied_at timestamptz not null default clock_timestamp()
)`;

/** Each in a transaction of its own, under a lock that the next process waits for. */
function applyNext(database: Database, known: readonly Migration[]): Promise<boolean> {
  return withBriefLock(database, "a table of the schema tandem", async (tx) => {
    const applied = await readApplied(tx);
    const next = nextOf(known, applied);
    if (next === undefined) return false;
    await tx.script(next.text);
    await tx.query("insert into tandem.migrations (version, name, digest) values ($1, $2, $3)", [
      next.version,
      next.name,
      next.digest,
    ]);
    // The column came with a later migration than the first.
    if (next.needs > 0) {
      await tx.query("update tandem.migrations set needs = $1 where version = $2", [
        next.needs,
        next.version,
      ]);
    }
    return true;
  });
}

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly digest: string;
}

async function readApplied(tx: Queryable): Promise<readonly Applied[]> {
  const { rows: there } = await tx.query<{ there: boolean }>(
    "select to_regclass('tandem.migrations') is not null as there",
  );
  if (there[0]?.there !== true) await tx.script(BOOTSTRAP);
  const { rows } = await tx.query<Applied>(
    "select version, name, digest from tandem.migrations order by version",
  );
  return rows;
}

function nextOf(known: readonly Migration[], applied: readonly Applied[]): Migration | undefined {
  for (const done of applied) {
    const same = known.find((migration) => migration.version === done.version);
    if (same === undefined) {
      throw new MigrationError(
        "schema_newer",
        `the database has migration ${done.version} (${done.name}), which this version of Tandem does not know`,
        "Install the version of Tandem that made it, or a newer one.",
      );
    }
    if (same.digest !== done.digest) {
      throw new MigrationError(
        "migration_changed",
        `migration ${done.version} (${done.name}) is not the one that was applied`,
        "Migrations are never edited; reinstall Tandem, or undo the edit and add a new migration.",
      );
    }
  }
  return known.find((migration) => !applied.some((done) => done.version === migration.version));
}
