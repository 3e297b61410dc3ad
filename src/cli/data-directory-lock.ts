/**
 * The lock beside a PGlite data directory: one process may open it.
 *
 * 1. It is made by `wx`, so of two processes one makes it.
 * 2. It is never taken from a live process. A process that is gone leaves a stale one, which is
 *    replaced under a guard, so that of two that find it one replaces it.
 * 3. It names the server's address once there is one, so that others can ask that server instead.
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
  /** Where the process answers the API; `null` while it does not. */
  url: z.string().nullable(),
});

export type LockHolder = z.infer<typeof content>;

export interface DataDirectoryLock {
  /** Tells others where the API of this process is. */
  announce(url: string): void;
  /** Idempotent; also done when the process exits. */
  release(): void;
}

/** Somebody has the data directory. */
export class DataDirectoryHeldError extends Error {
  override readonly name = "DataDirectoryHeldError";
  readonly lockFile: string;
  /** `null` where the lock cannot be read. */
  readonly holder: LockHolder | null;

  constructor(lockFile: string, holder: LockHolder | null) {
    super(
      holder === null
        ? `${lockFile} cannot be read: somebody may be opening the data directory`
        : `process ${String(holder.pid)} has the data directory open`,
    );
    this.lockFile = lockFile;
    this.holder = holder;
  }
}

/** What this process holds. A lock with our pid that is not among them is of an earlier process. */
const heldHere = new Set<string>();

export function lockFileOf(dataDirectory: string): string {
  return `${dataDirectory.replace(/(?<![/\\])[/\\]+$/, "")}.lock`;
}

/**
 * Takes the lock of a data directory, which need not exist yet.
 *
 * @throws DataDirectoryHeldError where a live process has it.
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
    // Between the look above and the guard, another may have been here and gone.
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

/** Who holds a lock; `null` where there is none or it cannot be read. */
function readHolder(lockFile: string): LockHolder | null {
  try {
    return content.parse(JSON.parse(readFileSync(lockFile, "utf8")));
  } catch {
    return null;
  }
}

/** In a container every start has the same pid: a lock with ours that we do not hold is stale. */
function isAlive(pid: number, lockFile: string): boolean {
  if (pid === process.pid) return heldHere.has(lockFile);
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It lives and belongs to another user.
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

/** At once: nobody reads half of it. */
function replaceFile(path: string, holder: LockHolder): void {
  const next = `${path}.${randomUUID()}`;
  writeFileSync(next, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
  renameSync(next, path);
}
