/** The database harness itself: what every other test on a database takes for granted. */
import { beforeAll, expect, it } from "vitest";
import {
  describeOnEachDatabase,
  openTestDatabase,
  type TestDatabase,
} from "../harness/databases.ts";

describeOnEachDatabase("a test database", (open, kind) => {
  let kept: TestDatabase;
  beforeAll(async () => {
    kept = await open();
  });

  it("is Postgres 15 or newer, of the kind asked for", async () => {
    const [row] = await kept.sql<{ version: string; number: number }>(
      "select version(), current_setting('server_version_num')::int as number",
    );
    expect(row?.number).toBeGreaterThanOrEqual(150_000);
    expect(row?.version.includes("PGlite")).toBe(kind === "pglite");
    const asked = /-(\d+)$/.exec(process.env.TANDEM_TEST_EMBEDDED_PG ?? "")?.[1];
    if (kind === "postgres" && asked !== undefined) {
      expect(Math.floor((row?.number ?? 0) / 10_000)).toBe(Number(asked));
    }
  });

  it("starts empty and shares nothing with another", async () => {
    const other = await open();
    await kept.sql("create table cards (id bigint primary key); insert into cards values (1)");

    expect(await other.sql("select to_regclass('public.cards') as found")).toEqual([
      { found: null },
    ]);
    expect(await kept.sql("select id, count(*) from cards where id = $1 group by id", [1])).toEqual(
      [{ id: 1, count: 1 }],
    );
  });

  it("keeps what beforeAll opened from one test to the next", async () => {
    expect(await kept.sql("select id from cards")).toEqual([{ id: 1 }]);
  });

  it("runs several statements at once and returns the rows of the last", async () => {
    expect(await kept.sql("select 1 as a; select 2 as b")).toEqual([{ b: 2 }]);
  });

  it("returns a bigint beyond 2^53 exactly", async () => {
    const ids = await kept.sql("select 9007199254740993::bigint as id");
    expect(ids).toEqual([{ id: 9_007_199_254_740_993n }]);
  });

  it("may be closed twice", async () => {
    const database = await openTestDatabase(kind);
    await database.close();
    await expect(database.close()).resolves.toBeUndefined();
  });
});
