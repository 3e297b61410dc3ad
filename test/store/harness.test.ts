/** The database harness itself: what every other test on a database takes for granted. */
import { beforeAll, describe, expect, it } from "vitest";
import { readMigrations } from "../../src/store/postgres/migrate.ts";
import {
  describeOnEachDatabase,
  describeOnEachEmptyDatabase,
  openTestDatabase,
  type TestDatabase,
} from "../harness/databases.ts";

/** The schema `public` of a new database has an oid of its own; emptied, it is another one. */
async function isNew(database: TestDatabase): Promise<boolean> {
  const [row] = await database.sql<{ oid: number }>("select 'public'::regnamespace::oid");
  return row?.oid === 2200;
}

describeOnEachEmptyDatabase("a test database", (open, kind) => {
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
      // The test first borrows all databases that earlier tests gave back: the next is new, or is this one again.
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

describeOnEachDatabase("a test database with Tandem's schema", (open, kind) => {
  /** Every migration, and what is there besides the schema that they make. */
  const shown = async (database: TestDatabase) =>
    database.sql(`
      select
        (select string_agg(version || ' ' || digest, ', ' order by version) from tandem.migrations)
          as migrations,
        (select count(*) from pg_class where relnamespace = 'tandem'::regnamespace) as relations,
        (select string_agg(prosrc, '' order by proname) from pg_proc
         where pronamespace = 'tandem'::regnamespace) as functions,
        (select string_agg(column_name || coalesce(' ' || column_default, ''), ', ' order by column_name)
         from information_schema.columns where table_schema = 'tandem' and table_name = 'accounts')
          as columns,
        (select count(*) from tandem.accounts) as accounts`);

  it("has what the migrations of this version make, and nothing else", async () => {
    const database = await open();
    const [{ migrated }] = (await database.sql(
      "select count(*) as migrated from tandem.migrations",
    )) as [{ migrated: number }];
    expect(migrated).toBe((await readMigrations()).length);
    expect(await database.sql("select to_regclass('public.tasks') as found")).toEqual([
      { found: null },
    ]);
  });

  it("shows nothing of the test before", async () => {
    const before = await openTestDatabase(kind, "migrated");
    const pristine = await shown(before);
    await before.sql(`
      create table tandem.virtual_clock (at timestamptz); insert into tandem.virtual_clock values (now());
      create or replace function tandem.now() returns timestamptz
        language sql volatile as $$ select at from tandem.virtual_clock $$;
      create view tandem.seen as select at from tandem.virtual_clock;
      create table cards (id int);
      create function tandem.capture() returns trigger language plpgsql as 'begin return new; end';
      create trigger tandem_cards before insert on cards execute function tandem.capture();
      insert into tandem.accounts (name, integration, credentials) values ('acme', 'github', '{}')`);
    expect(await shown(before)).not.toEqual(pristine);
    await before.close();

    const after = await openTestDatabase(kind, "migrated");
    expect(await isNew(after)).toBe(kind === "postgres");
    expect(await shown(after)).toEqual(pristine);
    const [account] = await after.sql<{ id: number }>(
      "insert into tandem.accounts (name, integration, credentials) values ('acme', 'github', '{}') returning id",
    );
    expect(account?.id).toBe(1);
    await after.close();
  });

  it.each([
    ["a column is missing", "alter table tandem.accounts drop column integration"],
    ["a default is another", "alter table tandem.accounts alter name set default 'acme'"],
    ["a migration is forgotten", "delete from tandem.migrations where version = 1"],
  ])("is not lent again where %s", async (_, sql) => {
    const before = await openTestDatabase(kind, "migrated");
    const pristine = await shown(before);
    await before.sql(sql);
    await before.close();

    const after = await openTestDatabase(kind, "migrated");
    expect(await shown(after)).toEqual(pristine);
    await after.close();
  });
});
