/** The database harness itself: what every other test on a database takes for granted. */
import { beforeAll, describe, expect, it } from "vitest";
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

  describe.runIf(kind === "pglite")("that is lent from test to test", () => {
    /** The schema `public` of a new database has an oid of its own; emptied, it is another one. */
    const isNew = async (database: TestDatabase) => {
      const [row] = await database.sql<{ oid: number }>("select 'public'::regnamespace::oid");
      return row?.oid === 2200;
    };

    it("shows nothing of the test before, and hides from it", async () => {
      const before = await openTestDatabase(kind);
      const heard: string[] = [];
      await before.pglite?.listen("news", (text) => heard.push(text));
      await before.sql(`
        create schema other; create table other.cards (id int); create table cards (id int);
        create role visitor; grant select on cards to visitor;
        create function stop() returns event_trigger language plpgsql as 'begin end';
        create event trigger stop on ddl_command_end execute function stop();
        set timezone = 'Asia/Tokyo'; prepare one as select 1; select pg_advisory_lock(7)`);
      await before.close();

      const after = await openTestDatabase(kind);
      expect(await isNew(after)).toBe(false);
      const left = await after.sql(`
        select nspname from pg_namespace where nspname = 'other'
        union all select relname from pg_class where relname = 'cards'
        union all select rolname from pg_roles where rolname = 'visitor'
        union all select evtname from pg_event_trigger
        union all select name from pg_prepared_statements
        union all select locktype from pg_locks where locktype = 'advisory'
        union all select setting from pg_settings where name = 'TimeZone' and setting like 'Asia%'`);
      expect(left).toEqual([]);
      await after.sql("notify news, 'for nobody'");
      expect(heard).toEqual([]);
      await expect(before.sql("select 1")).rejects.toThrow("PGlite is closed");
      await after.close();
    });

    it.each([
      ["a transaction is open", "begin"],
      ["a setting of the database is left", "alter database postgres set work_mem = '9MB'"],
      ["a system function is not what it was", "revoke all on function pg_sleep from public"],
    ])("is not lent again where %s", async (_, sql) => {
      // What earlier tests gave back is taken first: the next one is new, or is this one again.
      const taken: TestDatabase[] = [];
      let before = await openTestDatabase(kind);
      while (!(await isNew(before))) {
        taken.push(before);
        before = await openTestDatabase(kind);
      }
      await before.sql(sql);
      await before.close();

      const after = await openTestDatabase(kind);
      expect(await isNew(after)).toBe(true);
      for (const database of [after, ...taken]) await database.close();
    });
  });
});
