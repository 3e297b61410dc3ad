/**
 * The lock beside a PGlite data directory: one process may open it.
 *
 * 1. `wx` creates the file, so only one of two processes can create it.
 * 2. A live process never loses its lock. A lock whose process is gone is stale, and is replaced under a
 *    second lock, so that only one of two processes replaces it.
 * 3. It contains the server's address as soon as there is one, so that other processes can ask that server.
 */
import { randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

const content = z.object({
  pid: z.int().positive(),
  /** The address of the process's API; `null` while it serves none. */
  url: z.string().nullable(),
});

export type LockHolder = z.infer<typeof content>;

export interface DataDirectoryLock {
  /** Publishes the address of this process's API. */
  announce(url: string): void;
  /** Idempotent; also done when the process exits. */
  release(): void;
}

/** Another process has the data directory open. */
export class DataDirectoryHeldError extends Error {
  override readonly name = "DataDirectoryHeldError";
  readonly lockFile: string;
  /** `null` if the lock cannot be read. */
  readonly holder: LockHolder | null;

  constructor(lockFile: string, holder: LockHolder | null) {
    super(
      holder === null
        ? `${lockFile} cannot be read: another process may be opening the data directory`
        : `process ${String(holder.pid)} has the data directory open`,
    );
    this.lockFile = lockFile;
    this.holder = holder;
  }
}

/** The locks of this process. A lock with our pid that is not among them belongs to an earlier process. */
const heldHere = new Set<string>();

export function lockFileOf(dataDirectory: string): string {
  return `${dataDirectory.replace(/(?<![/\\])[/\\]+$/, "")}.lock`;
}

/**
 * Acquires the lock of a data directory, which may not exist yet.
 *
 * @throws DataDirectoryHeldError if a live process has it.
 */
export function lockDataDirectory(dataDirectory: string): DataDirectoryLock {
  const lockFile = lockFileOf(dataDirectory);
  mkdirSync(dirname(lockFile), { recursive: true });
  const own: LockHolder = { pid: process.pid, url: null };
  if (!createFile(lockFile, own)) replaceStale(lockFile, own);
  heldHere.add(lockFile);

  let isReleased = false;
  const release = (): void => {
    if (isReleased) return;
    isReleased = true;
    process.off("exit", release);
    heldHere.delete(lockFile);
    rmSync(lockFile, { force: true });
  };
  process.on("exit", release);
  return {
    announce: (url) => {
      replaceFile(lockFile, { ...own, url });
    },
    release,
  };
}

function replaceStale(lockFile: string, own: LockHolder): void {
  const guard = `${lockFile}.takeover`;
  checkStale(lockFile);
  if (!createFile(guard, own)) throw new DataDirectoryHeldError(guard, readHolder(guard));
  try {
    // Between the first check and the guard, another process may have replaced and released the lock.
    if (createFile(lockFile, own)) return;
    checkStale(lockFile);
    replaceFile(lockFile, own);
  } finally {
    unlinkSync(guard);
  }
}

/** @throws DataDirectoryHeldError unless the lock's process is gone. */
function checkStale(lockFile: string): void {
  const holder = readHolder(lockFile);
  const isGone = holder === null ? !existsSync(lockFile) : !isAlive(holder.pid, lockFile);
  if (!isGone) throw new DataDirectoryHeldError(lockFile, holder);
}

/** The holder of a lock; `null` if the lock does not exist or cannot be read. */
function readHolder(lockFile: string): LockHolder | null {
  try {
    return content.parse(JSON.parse(readFileSync(lockFile, "utf8")));
  } catch {
    return null;
  }
}

/** In a container every start has the same pid: a lock with our pid that we do not hold is stale. */
function isAlive(pid: number, lockFile: string): boolean {
  if (pid === process.pid) return heldHere.has(lockFile);
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The process lives and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function createFile(path: string, holder: LockHolder): boolean {
  try {
    writeFileSync(path, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Replaces the file atomically, so that no reader sees half of it. */
function replaceFile(path: string, holder: LockHolder): void {
  const next = `${path}.${randomUUID()}`;
  writeFileSync(next, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
  renameSync(next, path);
}
