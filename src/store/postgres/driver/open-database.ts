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

/** What a text names: a server, a PGlite in memory, or the folder of a PGlite. */
export interface DatabaseAddress {
  readonly kind: "postgres" | "memory" | "directory";
  /** The URL, or the folder. */
  readonly address: string;
}

/**
 * Reads the address of a database. A mistyped URL is no folder: an empty database would be created in it.
 *
 * @param text `undefined` for the default folder.
 * @throws UnknownDatabaseError if it is empty, or a URL of something else.
 */
export function readDatabaseAddress(text: string | undefined): DatabaseAddress {
  if (text === undefined) return { kind: "directory", address: DEFAULT_DATA_DIRECTORY };
  if (/^postgres(ql)?:\/\//.test(text)) {
    // The client also takes a URL without a host: a Unix socket.
    if (URL.canParse(text.replace("@/", "@socket/"))) return { kind: "postgres", address: text };
    throw new UnknownDatabaseError(
      "the database's URL cannot be read; a password with @ : / ? or # must be percent-encoded",
    );
  }
  if (text.startsWith("memory://")) return { kind: "memory", address: text };
  if (text.trim() === "") throw new UnknownDatabaseError("the database's address is empty");
  const [, scheme] = /^([a-z][a-z\d+.-]*):\/\//i.exec(text) ?? [];
  if (scheme !== undefined) {
    throw new UnknownDatabaseError(`"${scheme}://" is not the URL of a Postgres database`);
  }
  if (/^postgres(ql)?(:|\/\/)/i.test(text)) {
    throw new UnknownDatabaseError('the database\'s URL must begin with "postgres://"');
  }
  return { kind: "directory", address: text };
}

/**
 * Opens Postgres for a URL, and PGlite for a folder, `memory://` or nothing. A pool or a PGlite is used as it is,
 * and not closed by us.
 *
 * @throws UnknownDatabaseError if it is none of these.
 */
export async function openDatabase(source: string | object | undefined): Promise<Database> {
  if (source instanceof PGlite) return pgliteDatabase(source);
  if (source instanceof pg.Pool) return pgDatabase(source);
  if (typeof source === "object") {
    throw new UnknownDatabaseError("the database is neither a pg.Pool nor a PGlite");
  }
  const { kind, address } = readDatabaseAddress(source);
  if (kind === "postgres") return pgDatabase(address);
  if (kind === "directory") await mkdir(address, { recursive: true });
  return pgliteDatabase(address);
}
