/** Prepares, once for a whole run, what makes fresh databases cheap. Run by Vitest itself. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import type { TestProject } from "vitest/node";
import { databaseKindsFrom } from "./database-kinds.ts";
import { startPostgres } from "./postgres-server.ts";
import { type Beginning, makeTemplates } from "./postgres-template.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Null where `TANDEM_TEST_DATABASES` leaves Postgres out. */
    postgresAdminUrl: string | null;
    /** The database to copy for each beginning of a test; null as above. */
    postgresTemplates: Readonly<Record<Beginning, string>> | null;
    /** The dump of a pristine PGlite, to load instead of running initdb; null as above. */
    pgliteDataDir: string | null;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kinds = databaseKindsFrom(process.env.TANDEM_TEST_DATABASES);
  const given = process.env.TANDEM_TEST_DATABASE_URL;
  const [server, dataDir] = await Promise.all([
    kinds.includes("postgres") && !given
      ? startPostgres(process.env.TANDEM_TEST_EMBEDDED_PG)
      : undefined,
    kinds.includes("pglite") ? pristineDataDir() : undefined,
  ]);
  const adminUrl = kinds.includes("postgres") ? (given ?? server?.adminUrl) : undefined;
  const templates = adminUrl === undefined ? undefined : await makeTemplates(adminUrl);
  project.provide("postgresAdminUrl", adminUrl ?? null);
  project.provide("postgresTemplates", templates?.names ?? null);
  project.provide("pgliteDataDir", dataDir ?? null);
  return async () => {
    if (server === undefined) await templates?.remove();
    await server?.stop();
  };
}

/**
 * PGlite runs initdb in WASM, which takes 2 to 5 s a database; loading a dump takes about 0.6 s.
 * The dump of one version never changes, so it is kept between runs.
 */
async function pristineDataDir(): Promise<string> {
  const modules = new URL("../../node_modules/", import.meta.url);
  const { version } = JSON.parse(
    readFileSync(new URL("@electric-sql/pglite/package.json", modules), "utf8"),
  ) as { version: string };
  const folder = new URL(".cache/tandem/", modules);
  const dump = fileURLToPath(new URL(`pglite-${version}.tar`, folder));
  if (existsSync(dump)) return dump;

  const pristine = await PGlite.create();
  const content = await pristine.dumpDataDir("none");
  await pristine.close();
  mkdirSync(folder, { recursive: true });
  // Renamed into place, so that a run at the same time never sees half a file.
  const partial = `${dump}.${process.pid}`;
  writeFileSync(partial, Buffer.from(await content.arrayBuffer()));
  renameSync(partial, dump);
  return dump;
}
