/** Opens whatever a configuration names as its database. */
import { PGlite } from "@electric-sql/pglite";
import { mkdir } from "node:fs/promises";
import pg from "pg";
import type { Database } from "../../database/index.ts";
import { pgDatabase } from "./pg-database.ts";
import { pgliteDatabase } from "./pglite-database.ts";

/** The folder of the embedded database when nothing else is configured. */
export const DEFAULT_DATA_DIRECTORY = ".tandem/data";

/** The value is no database. */
export class UnknownDatabaseError extends Error {
  override readonly name = "UnknownDatabaseError";
  readonly code = "unknown_database";
  readonly hint =
    'Give a postgres:// URL, a folder for PGlite, "memory://", a pg.Pool or a PGlite.';
}

/**
 * A URL opens Postgres; a folder, `memory://` or nothing opens PGlite; a pool or a PGlite is used
 * as it is and not closed by us.
 */
export async function openDatabase(source: string | object | undefined): Promise<Database> {
  if (source instanceof PGlite) return pgliteDatabase(source);
  if (source instanceof pg.Pool) return pgDatabase(source);
  if (typeof source === "object") {
    throw new UnknownDatabaseError("the database is neither a pg.Pool nor a PGlite");
  }
  if (source !== undefined && /^postgres(ql)?:\/\//.test(source)) return pgDatabase(source);
  if (source?.startsWith("memory://") === true) return pgliteDatabase(source);
  const directory = source ?? DEFAULT_DATA_DIRECTORY;
  await mkdir(directory, { recursive: true });
  return pgliteDatabase(directory);
}
