/** Opens Tandem in this process, with the lock of the data directory if the database is a PGlite. */
import { PGlite } from "@electric-sql/pglite";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import pg from "pg";
import type { AnyConfig } from "../../config.ts";
import type { Log } from "../../runtime/services/index.ts";
import type { HandlerOptions } from "../../server/access/index.ts";
import { assembleTandem, type Tandem } from "../../server/tandem.ts";
import { isSchemaMissing } from "../../store/database/index.ts";
import { readDatabaseAddress } from "../../store/postgres/driver/index.ts";
import { type DataDirectoryLock, lockDataDirectory } from "./data-directory-lock.ts";
import { armedFailpoints } from "./failpoint.ts";
import { notMigrated } from "./failure.ts";
import type { Io } from "../output/index.ts";

export interface OpenedTandem {
  readonly tandem: Tandem;
  /** Publishes the address of this process's API to other processes. */
  readonly announce: (url: string) => void;
  /** Stops workers, closes the database and releases the lock. */
  readonly close: () => Promise<void>;
}

export interface OpenOptions extends HandlerOptions {
  readonly io: Io;
  readonly log: Log;
  /** Whether to migrate first; otherwise the schema must exist. */
  readonly migrates?: boolean;
}

/** A configuration whose database this process may open. */
export interface TakenConfig {
  /** The data directory in it, if there is one, is absolute. */
  readonly config: AnyConfig;
  readonly lock: DataDirectoryLock | null;
  /** Closes what the configuration opened, and releases the lock. */
  readonly release: () => Promise<void>;
}

/**
 * Acquires the lock that a configuration's database needs, if it needs one.
 *
 * @param mustExist Whether an absent data directory is an error. Otherwise opening creates an empty database.
 * @throws DataDirectoryHeldError if another process has the data directory.
 * @throws UnknownDatabaseError if the address is one of no database.
 * @throws CliError `not_migrated`
 */
export function takeConfig(config: AnyConfig, cwd: string, mustExist: boolean): TakenConfig {
  const dataDirectory = dataDirectoryOf(config, cwd);
  if (dataDirectory === null) {
    return { config, lock: null, release: () => closeConfigured(config) };
  }
  if (mustExist && !existsSync(dataDirectory)) throw notMigrated();
  const lock = lockDataDirectory(dataDirectory);
  return {
    config: { ...config, database: dataDirectory },
    lock,
    release: async () => lock.release(),
  };
}

/**
 * Opens a configuration.
 *
 * @throws DataDirectoryHeldError if another process has its data directory.
 * @throws CliError `not_migrated`
 */
export async function openTandem(
  given: AnyConfig,
  { io, log, migrates = false, ...handler }: OpenOptions,
): Promise<OpenedTandem> {
  const { config, lock, release } = takeConfig(given, io.cwd, !migrates);
  let tandem: Tandem | null = null;
  const close = async (): Promise<void> => {
    try {
      await tandem?.stop();
    } finally {
      await release();
    }
  };
  try {
    const beatFile = join(io.cwd, ".tandem", "beat.json");
    const surroundings = { log, environment: io.env, beatFile, ...handler };
    tandem = await assembleTandem(config, surroundings, armedFailpoints(io));
    if (migrates) await tandem.migrate();
    else await checkMigrated(tandem);
    return { tandem, announce: (url) => lock?.announce(url), close };
  } catch (error) {
    // The user must see the first failure, not one of closing.
    await close().catch(() => undefined);
    throw error;
  }
}

/** The data directory of a configuration's PGlite; `null` for another database. */
function dataDirectoryOf({ database }: AnyConfig, cwd: string): string | null {
  if (typeof database === "object") return null;
  const { kind, address } = readDatabaseAddress(database);
  return kind === "directory" ? resolve(cwd, address) : null;
}

async function checkMigrated(tandem: Tandem): Promise<void> {
  try {
    await tandem.services.store.ledger.now();
  } catch (error) {
    throw isSchemaMissing(error) ? notMigrated(error) : error;
  }
}

/** A pool or PGlite that the configuration opened would keep the process alive. */
async function closeConfigured({ database }: AnyConfig): Promise<void> {
  if (database instanceof PGlite && !database.closed) await database.close();
  if (database instanceof pg.Pool && !database.ended) await database.end();
}
