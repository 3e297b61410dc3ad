/** The archive of the prepared data directory: how it is unpacked, and given an identifier of its own. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  fillDirectory,
  readPrepared,
  renewIdentifier,
} from "../../src/store/postgres/driver/prepared-directory.ts";

const IDENTIFIER = 7_712_170_098_536_900_001n;
const RENEWED = IDENTIFIER + 1n;
/** CRC-32C of a control file that begins with the identifier and goes on with 120 bytes of 7. */
const CHECKSUMS = new Map([
  [IDENTIFIER, 0xc1fde189],
  [RENEWED, 0x7b4ab26f],
]);
const SEGMENT = "/pg_wal/000000010000000000000001";
const NEXT_SEGMENT = "/pg_wal/000000010000000000000002";

/** A file with its bytes, or a folder. */
type Entry = readonly [path: string, data: Buffer | null];

/** A tar as PGlite dumps it, without the two empty blocks at its end. */
function archive(...entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(([path, data]) => {
    const header = Buffer.alloc(512);
    header.write(path, 0, "latin1");
    header.write((data?.length ?? 0).toString(8).padStart(11, "0"), 124);
    header.write(data === null ? "5" : "0", 156);
    const padding = Buffer.alloc((512 - ((data?.length ?? 0) % 512)) % 512);
    return [header, data ?? Buffer.alloc(0), padding];
  });
  return Buffer.concat(blocks);
}

const ended = (tar: Buffer) => Buffer.concat([tar, Buffer.alloc(1_024)]);

function control(identifier: bigint): Buffer {
  const bytes = Buffer.alloc(132, 7);
  bytes.writeBigUInt64LE(identifier, 0);
  bytes.writeUInt32LE(CHECKSUMS.get(identifier) ?? 0, 128);
  return bytes;
}

function segment(identifier: bigint): Buffer {
  const bytes = Buffer.alloc(600, 9);
  bytes.writeBigUInt64LE(identifier, 24);
  return bytes;
}

describe("a prepared archive", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tandem-archive-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const filesIn = (directory: string) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .sort();
  const mode = (path: string) => statSync(path).mode & 0o777;

  it("is read as the build leaves it; one that is missing or of no use counts as none", async () => {
    const path = join(folder, "prepared.tar.br");
    const leave = (tar: Buffer, bytes = Infinity) => {
      writeFileSync(path, brotliCompressSync(tar).subarray(0, bytes));
    };
    const whole = ended(archive(["/base", null], ["/PG_VERSION", Buffer.from("17\n")]));
    expect(await readPrepared(null)).toBeNull();
    expect(await readPrepared(path)).toBeNull();
    leave(whole);
    expect(await readPrepared(path)).toEqual(whole);
    leave(whole, 20);
    expect(await readPrepared(path)).toBeNull();
    // A directory begun from it would be taken for a new one, and filled over what was written since.
    leave(ended(archive(["/base", null], ["/base/PG_VERSION", Buffer.from("17\n")])));
    expect(await readPrepared(path)).toBeNull();
  });

  it("is unpacked for its owner only, without the file that names a running server", async () => {
    const tar = archive(
      ["/PG_VERSION", Buffer.from("17\n")],
      ["/base/", null],
      ["/base/1", null],
      ["/base/1/112", Buffer.alloc(700, "rows")],
      ["/base/1/113", Buffer.alloc(512, "full")],
      ["/base/1/empty", Buffer.alloc(0)],
      ["/postmaster.pid", Buffer.from("42\n")],
    );

    await fillDirectory(folder, ended(tar));

    expect(filesIn(folder)).toEqual(["PG_VERSION", "base/1/112", "base/1/113", "base/1/empty"]);
    expect(readFileSync(join(folder, "PG_VERSION"), "utf8")).toBe("17\n");
    expect(readFileSync(join(folder, "base/1/112"))).toEqual(Buffer.alloc(700, "rows"));
    expect(readFileSync(join(folder, "base/1/113"))).toEqual(Buffer.alloc(512, "full"));
    expect(readFileSync(join(folder, "base/1/empty"))).toEqual(Buffer.alloc(0));
    expect(["base", "base/1"].map((path) => mode(join(folder, path)))).toEqual([0o700, 0o700]);
    expect(filesIn(folder).map((path) => mode(join(folder, path)))).toEqual(
      Array.from({ length: 4 }, () => 0o600),
    );
  });

  it("may end right after its last file, and makes the directory with all above it", async () => {
    const directory = join(folder, "not/there/yet");

    await fillDirectory(directory, archive(["/PG_VERSION", Buffer.alloc(512, "17")]));

    expect(filesIn(directory)).toEqual(["PG_VERSION"]);
  });

  it("may end right after a folder", async () => {
    const tar = archive(["/PG_VERSION", Buffer.from("17\n")], ["/pg_twophase", null]);

    await fillDirectory(folder, tar);

    expect(readdirSync(folder).sort()).toEqual(["PG_VERSION", "pg_twophase"]);
  });

  it("that could not be unpacked whole leaves no data directory, and is unpacked again", async () => {
    const tar = ended(
      archive(
        ["/PG_VERSION", Buffer.from("17\n")],
        ["/base", null],
        ["/base/112", Buffer.from("rows")],
      ),
    );
    mkdirSync(join(folder, "base/112"), { recursive: true });
    await expect(fillDirectory(folder, tar)).rejects.toMatchObject({ code: "EISDIR" });
    expect(filesIn(folder)).toEqual([]);

    rmSync(join(folder, "base/112"), { recursive: true });
    await fillDirectory(folder, tar);

    expect(filesIn(folder)).toEqual(["PG_VERSION", "base/112"]);
  });

  it("gets another identifier in its control file, with its checksum, and in all of its log", async () => {
    const of = (identifier: bigint) =>
      ended(
        archive(
          ["/global", null],
          ["/global/pg_control", control(identifier)],
          ["/pg_wal", null],
          ["/pg_wal/archive_status", null],
          [SEGMENT, segment(identifier)],
          [NEXT_SEGMENT, segment(identifier)],
        ),
      );
    const tar = of(IDENTIFIER);

    expect(renewIdentifier(tar, RENEWED)).toBe(true);
    expect(tar).toEqual(of(RENEWED));
  });

  const sound = control(IDENTIFIER);
  const log: Entry = [SEGMENT, segment(IDENTIFIER)];
  const longer = Buffer.concat([control(IDENTIFIER).fill(0, 128), Buffer.alloc(4)]);
  it.each<readonly [string, Buffer]>([
    ["without a control file", archive(log)],
    ["with a folder for a control file", archive(["/global/pg_control", null], log)],
    ["without a log", archive(["/global/pg_control", sound])],
    ["with a folder for a log", archive(["/global/pg_control", sound], [SEGMENT, null])],
    ["with a control file without checksum", archive(["/global/pg_control", longer], log)],
    [
      "with a control file that is cut off",
      archive(["/global/pg_control", sound.subarray(0, 130)], log),
    ],
    [
      "with another database's log",
      archive(["/global/pg_control", sound], log, [NEXT_SEGMENT, segment(RENEWED)]),
    ],
  ])("%s is not used", (_, tar) => {
    expect(renewIdentifier(tar, RENEWED)).toBe(false);
  });
});
