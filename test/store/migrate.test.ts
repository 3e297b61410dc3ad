/** Migrating: once, however often and by however many; and clear about what it cannot do. */
import pg from "pg";
import { describe, expect, it } from "vitest";
import type { Mapping } from "../../src/model/mapping.ts";
import type { Database } from "../../src/store/database.ts";
import { MigrationError } from "../../src/store/migration-error.ts";
import { migrate, readMigrations } from "../../src/store/postgres/migrate.ts";
import { aMapping, issueType, plainField } from "../engine/builders.ts";
import { describeOnEachEmptyDatabase, type TestDatabase } from "../harness/databases.ts";
import { connectTo, openStore, TABLES, tasks } from "./opened-store.ts";

/** The identities of everything installed: made anew, it would get another. */
const INSTALLED = `
select tgname as name, pg_trigger.oid from pg_trigger where tgname like 'tandem%'
union all
select proname, oid from pg_proc where pronamespace = 'tandem'::regnamespace
union all
select relname, oid from pg_class where relnamespace = 'tandem'::regnamespace
order by name, oid`;

interface Named {
  readonly name: string;
  readonly oid: number;
}

describeOnEachEmptyDatabase("migrating", (open, kind) => {
  async function prepared(tables = TABLES): Promise<{ app: TestDatabase; database: Database }> {
    const app = await open();
    await app.sql(tables);
    return { app, database: await connectTo(app) };
  }
  const triggersOf = async (app: TestDatabase) =>
    (
      await app.sql<{ trigger: string }>(
        `select tgrelid::regclass || ' ' || tgname as trigger
         from pg_trigger where tgname like 'tandem%' order by 1`,
      )
    ).map((row) => row.trigger);

  it("twice changes nothing", async () => {
    const { store, app } = await openStore(await open());
    const before = await app.sql<Named>(INSTALLED);
    await store.migrate([tasks]);
    expect(await app.sql<Named>(INSTALLED)).toEqual(before);
    expect(await app.sql("select version, name from tandem.migrations")).toEqual(
      (await readMigrations()).map(({ version, name }) => ({ version, name })),
    );
  });

  it.runIf(kind === "postgres")("twice waits for no writer of the app", async () => {
    const { store, app } = await openStore(await open());
    const writer = new pg.Client({ connectionString: app.url });
    await writer.connect();
    try {
      await writer.query("begin; insert into tasks (title) values ('Under way')");
      await store.migrate([tasks]);
    } finally {
      await writer.end();
    }
  });

  it("S54: says which migrations code before them cannot work with", async () => {
    const { app } = await openStore(await open());
    expect(
      await app.sql("select version, needs from tandem.migrations where needs > 0 order by 1"),
    ).toEqual([
      // Code that does not know moved records would delete conversations that are to stay.
      { version: 10, needs: 10 },
      { version: 11, needs: 11 },
      // Code that does not know what is back would close it.
      { version: 16, needs: 16 },
      // It would take a base that is kept as `true` for content.
      { version: 18, needs: 18 },
      // It would make another resource of what was deleted, or none of what was taken back.
      { version: 21, needs: 21 },
    ]);
  });

  it("S54: at once, from several processes, is done once", async () => {
    const { app, database } = await prepared();
    const others = await Promise.all([connectTo(app), connectTo(app)]);
    await Promise.all([database, ...others].map((each) => migrate(each, [tasks])));
    expect(await triggersOf(app)).toHaveLength(4);
    expect(await app.sql("select count(*) from tandem.migrations")).toEqual([
      { count: (await readMigrations()).length },
    ]);
    await Promise.all(others.map((each) => each.close()));
  });

  it("installs triggers anew where the mapping changed, and removes what is no longer mapped", async () => {
    const { store, app } = await openStore(await open());
    const before = await app.sql<Named>(INSTALLED);
    const users: Mapping = aMapping({
      recordType: "users",
      scopeColumn: null,
      fields: [plainField("name", "title")],
    });
    await store.migrate([{ ...tasks, softDelete: "markdown" }, users]);
    expect(await triggersOf(app)).toHaveLength(8);
    expect(await app.sql<Named>(INSTALLED)).not.toEqual(before);

    await store.migrate([users]);
    expect(await triggersOf(app)).toEqual([
      "users tandem_capture_delete",
      "users tandem_capture_insert",
      "users tandem_capture_truncate",
      "users tandem_capture_update",
    ]);
    await store.migrate([]);
    expect(await triggersOf(app)).toEqual([]);
    expect(
      await app.sql(
        "select proname from pg_proc where pronamespace = 'tandem'::regnamespace and proname like 'capture%'",
      ),
    ).toEqual([]);
  });

  it("mends triggers that were dropped or switched off", async () => {
    const { store, app } = await openStore(await open());
    await app.sql("drop trigger tandem_capture_delete on tasks");
    await store.migrate([tasks]);
    expect(await triggersOf(app)).toHaveLength(4);
    await app.sql("alter table tasks disable trigger tandem_capture_insert");
    await store.migrate([tasks]);
    await app.sql("insert into tasks (title) values ('A')");
    expect(await store.ledger.counts()).toMatchObject({ undrained: 1 });
  });

  it("follows a table that was replaced by another of its name", async () => {
    const { store, app } = await openStore(await open());
    await app.sql("alter table tasks rename to old_tasks");
    await app.sql("create table tasks (like old_tasks including all)");
    await store.migrate([tasks]);
    expect(await triggersOf(app)).toEqual([
      "tasks tandem_capture_delete",
      "tasks tandem_capture_insert",
      "tasks tandem_capture_truncate",
      "tasks tandem_capture_update",
    ]);
  });

  it("shows cached copies in a view whose columns follow the mapping", async () => {
    const { store, app } = await openStore(await open());
    const columnsOf = async () =>
      (
        await app.sql<{ column: string }>(
          `select column_name || ' ' || data_type as column
           from information_schema.columns
           where table_schema = 'tandem' and table_name = 'github_issues'
           order by ordinal_position`,
        )
      ).map((row) => row.column);
    expect(await columnsOf()).toEqual([
      "id bigint",
      "connection_id bigint",
      "external_id text",
      "title text",
      "body text",
      "state text",
      "labels jsonb",
      "author jsonb",
      "record_type text",
      "record_id text",
      "url text",
      "deleted boolean",
    ]);
    const fields = { ...issueType.fields, url: { kind: "line", writable: false } } as const;
    const wider = { ...tasks, resource: { ...issueType, fields } };
    await store.migrate([wider]);
    expect(await columnsOf()).toContain("field_url text");

    await app.sql("create view mine as select * from tandem.github_issues");
    await expect(store.migrate([tasks])).rejects.toMatchObject({ code: "view_in_use" });
  });

  describe("refuses, and says why,", () => {
    const refusal = async (database: Database, ...mappings: readonly Mapping[]) => {
      const error: unknown = await migrate(database, mappings).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MigrationError);
      const { code, hint } = error as MigrationError;
      expect(hint).not.toBe("");
      return code;
    };

    it("tables and columns that are not there or cannot be watched", async () => {
      const { database, app } = await prepared();
      await app.sql("create view seen as select * from tasks");
      const named = (recordType: string) => ({ ...tasks, recordType });
      await expect(migrate(database, [named("nowhere")])).rejects.toThrow(
        "there is no table nowhere",
      );
      expect(await refusal(database, named("nowhere"))).toBe("table_missing");
      expect(await refusal(database, named("Tasks"))).toBe("table_missing");
      expect(await refusal(database, named("seen"))).toBe("table_unsuitable");
      expect(await refusal(database, { ...tasks, key: "uid" })).toBe("column_missing");
      expect(await refusal(database, tasks, named("public.tasks"))).toBe("table_named_twice");
    });

    it("columns that would delete what is alive, or that nobody can write", async () => {
      const { database, app } = await prepared();
      await app.sql(`
        alter table tasks
          add archived boolean, add always_set timestamptz not null default now(), add gone_at timestamptz,
          add epoch bigint, add changed_at timestamp,
          add shout text generated always as (upper(title)) stored`);
      const refused = async (change: Partial<typeof tasks>) =>
        refusal(database, { ...tasks, ...change });
      expect(await refused({ softDelete: "archived" })).toBe("column_unsuitable");
      expect(await refused({ softDelete: "always_set" })).toBe("column_unsuitable");
      expect(await refused({ modifiedAt: "epoch" })).toBe("column_unsuitable");
      expect(await refused({ scopeColumn: "shout" })).toBe("column_unsuitable");
      expect(await refused({ fields: [plainField("shout")] })).toBe("column_unsuitable");
      // What only flows out may be generated.
      const outward = { ...plainField("shout"), toRecord: null };
      const fits = { ...tasks, fields: [...tasks.fields, outward] };
      await migrate(database, [{ ...fits, softDelete: "gone_at", modifiedAt: "changed_at" }]);
    });

    it("a table that others inherit from, for no trigger of it sees their writes", async () => {
      const { database, app } = await prepared();
      await app.sql("create table urgent_tasks () inherits (tasks)");
      expect(await refusal(database, tasks)).toBe("table_unsuitable");
    });

    it("a schema that is newer than the code", async () => {
      const { store, database } = await openStore(await open());
      await database.query(
        "insert into tandem.migrations (version, name, digest) values (9999, 'later', 'x')",
      );
      await expect(store.migrate([tasks])).rejects.toMatchObject({ code: "schema_newer" });
    });

    it("a migration that was edited after it was applied", async () => {
      const { store, database } = await openStore(await open());
      await database.query("update tandem.migrations set digest = 'other' where version = 1");
      await expect(store.migrate([tasks])).rejects.toMatchObject({ code: "migration_changed" });
    });

    // PGlite has one session: nobody else can hold a table.
    it.skipIf(kind === "pglite")("a table that somebody holds", async () => {
      const { database, app } = await prepared();
      const session = await connectTo(app);
      await session.transaction(async (tx) => {
        await tx.query("insert into tasks (title) values ('not yet committed')");
        expect(await refusal(database, tasks)).toBe("table_busy");
      });
      await session.close();
    });
  });

  it("leaves nothing of a migration that failed, and goes on from there", async () => {
    const { app, database } = await prepared();
    const [first] = await readMigrations();
    if (first === undefined) throw new Error("there is a first migration");
    const broken = {
      version: 2,
      name: "broken",
      digest: "b",
      needs: 0,
      text: "create table tandem.half (); select 1 / 0",
    };
    await expect(migrate(database, [], [], undefined, [first, broken])).rejects.toMatchObject({
      code: "22012",
    });
    expect(await app.sql("select to_regclass('tandem.half')::text as half")).toEqual([
      { half: null },
    ]);
    const mended = { ...broken, text: "create table tandem.half ()" };
    await migrate(database, [], [], undefined, [first, mended]);
    expect(await app.sql("select version from tandem.migrations order by 1")).toEqual([
      { version: 1 },
      { version: 2 },
    ]);
  });
});
