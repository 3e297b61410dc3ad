/** The prepared data directory: it must be a database like any other, and each copy one of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  fillDirectory,
  openPglite,
  preparedPath,
  renewIdentifier,
} from "../../src/store/postgres/driver/prepared-directory.ts";

const IDENTIFIER = 7_712_170_098_536_900_001n;
const folder = mkdtempSync(join(tmpdir(), "tandem-prepared-"));
let tar: Buffer;

beforeAll(async () => {
  const pglite = await PGlite.create("memory://");
  await pglite.exec("create table prepared (); checkpoint");
  tar = Buffer.from(await (await pglite.dumpDataDir("none")).arrayBuffer());
  await pglite.close();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const identifierOf = async (pglite: PGlite) =>
  (
    await pglite.query<{ id: string }>(
      "select system_identifier::text as id from pg_control_system()",
    )
  ).rows[0]?.id;

it("is looked for by the version of PGlite, whose files it holds", () => {
  expect(preparedPath()).toMatch(/pglite-\d+\.\d+\.\d+[^/]*\.tar\.br$/);
});

it("opens in a folder with an identifier of its own, and keeps what is written", async () => {
  const directory = join(folder, "data");
  const copy = Buffer.from(tar);

  expect(renewIdentifier(copy, IDENTIFIER)).toBe(true);
  await fillDirectory(directory, copy);
  const first = await PGlite.create(directory);
  expect(await identifierOf(first)).toBe(String(IDENTIFIER));
  await first.exec("create table kept (id int primary key); insert into kept values (7)");
  await first.close();

  const again = await PGlite.create(directory);
  expect(await identifierOf(again)).toBe(String(IDENTIFIER));
  expect((await again.query("select id from kept")).rows).toEqual([{ id: 7 }]);
  await again.close();
});

it("opens in memory as well", async () => {
  const copy = Buffer.from(tar);

  expect(renewIdentifier(copy, IDENTIFIER + 1n)).toBe(true);
  const pglite = await PGlite.create("memory://", {
    loadDataDir: new Blob([new Uint8Array(copy)]),
  });

  expect(await identifierOf(pglite)).toBe(String(IDENTIFIER + 1n));
  await pglite.close();
});

it("is not used where its control file or its log is not as expected", () => {
  const damaged = Buffer.from(tar);
  const at = damaged.indexOf("/global/pg_control") + 512;
  damaged.writeUInt8(damaged.readUInt8(at + 40) ^ 1, at + 40);

  expect(renewIdentifier(damaged, IDENTIFIER)).toBe(false);
  expect(renewIdentifier(Buffer.alloc(1_024), IDENTIFIER)).toBe(false);
});

it("is filled again if a crash left it without the file that makes it a directory of Postgres", async () => {
  const directory = join(folder, "broken");
  await fillDirectory(directory, tar);
  rmSync(join(directory, "PG_VERSION"));
  rmSync(join(directory, "global"), { recursive: true });

  await fillDirectory(directory, tar);
  const pglite = await PGlite.create(directory);

  expect((await pglite.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await pglite.close();
});

describe("a database that is opened where one is prepared", () => {
  const prepared = join(folder, "prepared.tar.br");
  beforeAll(() => {
    const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 0 } };
    writeFileSync(prepared, brotliCompressSync(tar, quick));
  });
  const preparedIdentifier = () => {
    const at = tar.indexOf("/global/pg_control") + 512;
    return String(tar.readBigUInt64LE(at));
  };

  it("in a new folder begins as it, with an identifier of its own, and stays itself", async () => {
    const directory = join(folder, "new");
    const first = await openPglite(directory, prepared);
    const identifier = await identifierOf(first);
    expect(identifier).not.toBe(preparedIdentifier());
    await first.exec("alter table prepared rename to worked_on");
    await first.close();

    const again = await openPglite(directory, prepared);
    expect(await identifierOf(again)).toBe(identifier);
    expect((await again.query("select from worked_on")).rows).toEqual([]);
    await again.close();
  });

  it("in memory begins as it, with an identifier of its own", async () => {
    const pglite = await openPglite("memory://", prepared);
    expect(await identifierOf(pglite)).not.toBe(preparedIdentifier());
    expect((await pglite.query("select from prepared")).rows).toEqual([]);
    await pglite.close();
  });
});
