/**
 * A data directory that is prepared when Tandem is built. Without it a new PGlite initialises one:
 * that takes most of a cold start, and three times the memory of all the rest.
 *
 * 1. PGlite itself makes and dumps the directory, and only the same version of PGlite uses it.
 * 2. Each copy has a system identifier of its own, as `initdb` draws one: it distinguishes databases.
 * 3. A prepared directory that is not as expected is not used, and PGlite initialises as usual.
 */
import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { PGlite } from "@electric-sql/pglite";

/**
 * Opens a PGlite in a folder, or in memory (`memory://`), from the prepared directory if it is new.
 *
 * @param prepared The file that holds the prepared directory; `null`: there is none.
 */
export async function openPglite(
  source: string,
  prepared: string | null = preparedPath(),
): Promise<PGlite> {
  const isFolder = !source.includes("://");
  const isNew = isFolder ? !existsSync(join(source, FIRST_LOOK)) : source.startsWith("memory://");
  const tar = isNew ? await readPrepared(prepared) : null;
  if (tar === null || !renewIdentifier(tar, newIdentifier())) return PGlite.create(source);
  if (!isFolder) return PGlite.create(source, { loadDataDir: new Blob([new Uint8Array(tar)]) });
  await fillDirectory(source, tar);
  return PGlite.create(source);
}

/** The path at which the build puts it, beside the compiled module; `null` if PGlite's version is unknown. */
export function preparedPath(): string | null {
  const version = pgliteVersion();
  if (version === null) return null;
  return join(import.meta.dirname, `pglite-${version}.tar.br`);
}

/** The file by which Postgres, and PGlite, know a data directory. */
const FIRST_LOOK = "PG_VERSION";
const CONTROL_FILE = "global/pg_control";
const WAL_FILE = /^pg_wal\/[0-9A-F]{24}$/;
/** In the header of a segment's first page. */
const IDENTIFIER_IN_WAL = 24;

function pgliteVersion(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite");
    const description: unknown = JSON.parse(
      readFileSync(join(dirname(entry), "..", "package.json"), "utf8"),
    );
    const { version } = description as { readonly version?: unknown };
    return typeof version === "string" ? version : null;
  } catch {
    return null;
  }
}

/** Reads the prepared directory's archive; `null` where there is none of use. */
export async function readPrepared(path: string | null): Promise<Buffer | null> {
  if (path === null || !existsSync(path)) return null;
  try {
    const tar = await promisify(brotliDecompress)(await readFile(path));
    // A folder that was begun without it would be taken for a new one.
    return [...itemsOf(tar)].some((item) => item.path === FIRST_LOOK) ? tar : null;
  } catch {
    // Cut off, or not ours to read.
    return null;
  }
}

/** A file or, without data, a folder of the archive. */
interface Item {
  readonly path: string;
  /** A view: what is written into it is written into the archive. */
  readonly data: Buffer | null;
}

const BLOCK = 512;

/** The parts of a tar that PGlite's dump uses: short names, files and folders. */
function* itemsOf(tar: Buffer): Generator<Item> {
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + BLOCK);
    const text = (from: number, to: number) =>
      header.toString("latin1", from, to).replace(/\0.*$/s, "");
    const path = text(0, 100).replace(/^\/|\/$/g, "");
    const size = Number.parseInt(text(124, 136), 8);
    const isFolder = text(156, 157) === "5";
    at += BLOCK;
    yield { path, data: isFolder ? null : tar.subarray(at, at + size) };
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
}

/** As `initdb` draws it: the time, and what makes two of one time differ. */
function newIdentifier(): bigint {
  return (BigInt(Math.floor(Date.now() / 1_000)) << 32n) | BigInt(randomInt(2 ** 32));
}

/**
 * Gives the directory in an archive another system identifier: in its control file, whose checksum
 * then is another, and in its write-ahead log, which must name the same.
 *
 * @returns `false` where the archive is not as expected; it may be half changed then.
 */
export function renewIdentifier(tar: Buffer, identifier: bigint): boolean {
  const items = [...itemsOf(tar)];
  const control = items.find(({ path }) => path === CONTROL_FILE)?.data;
  const segments = items.flatMap(({ path, data }) =>
    data !== null && WAL_FILE.test(path) ? [data] : [],
  );
  if (control == null || segments.length === 0) return false;
  const checksumAt = checksumOffset(control);
  const before = control.readBigUInt64LE(0);
  if (checksumAt === null) return false;
  control.writeBigUInt64LE(identifier, 0);
  control.writeUInt32LE(crc32c(control.subarray(0, checksumAt)), checksumAt);
  for (const segment of segments) {
    if (segment.readBigUInt64LE(IDENTIFIER_IN_WAL) !== before) return false;
    segment.writeBigUInt64LE(identifier, IDENTIFIER_IN_WAL);
  }
  return true;
}

/** The checksum follows what it is of; how long that is differs by version. */
function checksumOffset(control: Buffer): number | null {
  for (let at = 128; at + 4 <= Math.min(control.length, BLOCK); at += 4) {
    if (crc32c(control.subarray(0, at)) === control.readUInt32LE(at)) return at;
  }
  return null;
}

function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

/** The file that makes a folder a data directory comes last: after a crash the folder is filled again. */
export async function fillDirectory(directory: string, tar: Buffer): Promise<void> {
  const items = [...itemsOf(tar)];
  await mkdir(directory, { recursive: true });
  for (const { path, data } of items) {
    if (data === null) await mkdir(join(directory, path), { recursive: true, mode: 0o700 });
  }
  const write = async ({ path, data }: Item) => {
    if (data !== null) await writeFile(join(directory, path), data, { mode: 0o600 });
  };
  // Postgres knows by it that somebody works here, and nobody does.
  const files = items.filter(({ path }) => path !== FIRST_LOOK && path !== "postmaster.pid");
  await Promise.all(files.map(write));
  await Promise.all(items.filter(({ path }) => path === FIRST_LOOK).map(write));
}
