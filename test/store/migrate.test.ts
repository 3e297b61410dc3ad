/** Migrating: once, however often and by however many; and clear about what it cannot do. */
import pg from "pg";
import { describe, expect, it } from "vitest";
import type { Mapping } from "../../src/model/mapping.ts";
import type { Database } from "../../src/store/database/database.ts";
import { MigrationError } from "../../src/store/database/migration-error.ts";
import { migrate, readMigrations } from "../../src/store/postgres/migrate.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { aMapping, issueType, plainField } from "../engine/builders.ts";
import { describeOnEachEmptyDatabase, type TestDatabase } from "../harness/databases.ts";
import { connectTo, openStore, present, TABLES, tasks } from "./opened-store.ts";

/** The identities of everything installed: a recreated object would get another. */
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

  it("recreates triggers if the mapping changed, and removes those of tables no longer mapped", async () => {
    const { store, app } = await openStore(await open());
    const before = await app.sql<Named>(INSTALLED);
    const users: Mapping = aMapping({
      recordType: "users",
      scopeColumn: null,
      fields: [plainField("name", "title")],
    });
    await store.migrate([{ ...tasks, fields: [plainField("markdown", "body")] }, users]);
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
    await expect(store.migrate([tasks])).rejects.toMatchObject({
      code: "view_in_use",
      message: "tandem.github_issues has to change, but something of yours depends on it",
      hint: "Drop what depends on it (the database's message names it), migrate, and create it again.",
    });
    await app.sql("drop view mine");
    await store.migrate([tasks]);
    expect(await columnsOf()).not.toContain("field_url text");
  });

  describe("refuses, and says why,", () => {
    const refusal = async (database: Database, ...mappings: readonly Mapping[]) => {
      const error: unknown = await migrate(database, mappings).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MigrationError);
      const { code, message, hint } = error as MigrationError;
      return { code, message, hint };
    };

    it("tables and columns that are not there or cannot be watched", async () => {
      const { database, app } = await prepared();
      await app.sql("create view seen as select * from tasks");
      const named = (recordType: string) => ({ ...tasks, recordType });
      const { rows } = await database.query<{ name: string; path: string }>(
        "select current_database() as name, array_to_string(current_schemas(false), ', ') as path",
      );
      const { name, path } = rows[0] ?? { name: "", path: "" };
      for (const [missing, near] of [
        ["nowhere", ""],
        ["Tasks", ' Did you mean "tasks"?'],
        ["taks", ' Did you mean "tasks"?'],
      ] as const) {
        expect(await refusal(database, named(missing))).toEqual({
          code: "table_missing",
          message: `there is no table ${missing} in the database "${name}" (search path: ${path})`,
          hint: `Create it first, or correct the configuration.${near}`,
        });
      }
      expect(await refusal(database, named("seen"))).toEqual({
        code: "table_unsuitable",
        message: "seen is no table, so its changes cannot be captured",
        hint: "Map the table behind it.",
      });
      expect(await refusal(database, { ...tasks, key: "uid" })).toEqual({
        code: "column_missing",
        message: "tasks has no column uid",
        hint: "Set `key` to the column of the table's primary key.",
      });
      expect(await refusal(database, { ...tasks, fields: [plainField("titel")] })).toMatchObject({
        message: "tasks has no column titel",
        hint: 'Correct the mapping, or add the column first. Did you mean "title"?',
      });
      expect(await refusal(database, tasks, named("public.tasks"))).toEqual({
        code: "table_named_twice",
        message: "public.tasks and tasks are one table",
        hint: "Name it in one way in the configuration.",
      });
    });

    it("columns that would delete what is alive, or that nobody can write", async () => {
      const { database, app } = await prepared();
      await app.sql(`
        alter table tasks
          add archived boolean, add always_set timestamptz not null default now(), add gone_at timestamptz,
          add epoch bigint, add changed_at timestamp,
          add shout text generated always as (upper(title)) stored`);
      const refused = async (change: Partial<typeof tasks>) => {
        const { code, message, hint } = await refusal(database, { ...tasks, ...change });
        expect(code).toBe("column_unsuitable");
        return [message, hint];
      };
      const soft =
        "Name a column that is null while the row lives and says when it was deleted, as a timestamptz.";
      expect(await refused({ softDelete: "archived" })).toEqual([
        "tasks.archived is of type boolean: with softDelete, false would say that a row is deleted, as any value does",
        soft,
      ]);
      expect(await refused({ softDelete: "always_set" })).toEqual([
        "tasks.always_set is never null, so that softDelete would take every row for deleted",
        soft,
      ]);
      expect(await refused({ softDelete: "markdown" })).toEqual([
        "tasks.markdown is of type text, and softDelete is written as a time",
        soft,
      ]);
      expect(await refused({ modifiedAt: "epoch" })).toEqual([
        "tasks.epoch is of type bigint, and modifiedAt is written as a time",
        "Name a column of type timestamptz or timestamp, or none.",
      ]);
      const generated = [
        "tasks.shout is generated by the table, so nobody can write it",
        "Map the column that it is computed from.",
      ];
      expect(await refused({ scopeColumn: "shout" })).toEqual(generated);
      expect(await refused({ fields: [plainField("shout")] })).toEqual(generated);
      // A field that only flows out may be a generated column.
      const outward = { ...plainField("shout"), toRecord: null };
      const fits = { ...tasks, fields: [...tasks.fields, outward] };
      await migrate(database, [{ ...fits, softDelete: "gone_at", modifiedAt: "changed_at" }]);
    });

    it("a table that others inherit from, for no trigger of it sees their writes", async () => {
      const { database, app } = await prepared();
      await app.sql("create table urgent_tasks () inherits (tasks)");
      expect(await refusal(database, tasks)).toEqual({
        code: "table_unsuitable",
        message:
          "other tables inherit from tasks: their rows show in it, and no trigger of it sees their writes",
        hint: "Map each of these tables by itself, or make it a partitioned table.",
      });
    });

    it("a schema that is newer than the code", async () => {
      const { store, database } = await openStore(await open());
      await database.query(
        "insert into tandem.migrations (version, name, digest) values (9999, 'later', 'x')",
      );
      await expect(store.migrate([tasks])).rejects.toMatchObject({
        code: "schema_newer",
        message:
          "the database has migration 9999 (later), which this version of Tandem does not know",
        hint: "Install the version of Tandem that made it, or a newer one.",
      });
    });

    it("a migration that was edited after it was applied", async () => {
      const { store, database } = await openStore(await open());
      await database.query("update tandem.migrations set digest = 'other' where version = 1");
      const first = present((await readMigrations())[0]);
      await expect(store.migrate([tasks])).rejects.toMatchObject({
        code: "migration_changed",
        message: `migration 1 (${first.name}) is not the one that was applied`,
        hint: "Migrations are never edited; reinstall Tandem, or undo the edit and add a new migration.",
      });
    });

    // PGlite has one session: nobody else can hold a table.
    it.skipIf(kind === "pglite")("a table that somebody holds", async () => {
      const { database, app } = await prepared();
      const session = await connectTo(app);
      await session.transaction(async (tx) => {
        await tx.query("insert into tasks (title) values ('not yet committed')");
        expect(await refusal(database, tasks)).toEqual({
          code: "table_busy",
          message: "could not lock tasks within 3 seconds",
          hint: "End the transaction that holds the table (see pg_stat_activity), then migrate again.",
        });
        await tx.query("lock table tandem.migrations");
        expect(await refusal(database, tasks)).toMatchObject({
          code: "table_busy",
          message: "could not lock a table of the schema tandem within 3 seconds",
        });
      });
      await session.close();
    });
  });

  it("S54: a worker takes a schema that does not say what it needs for an older one", async () => {
    const { app, database } = await prepared();
    const store = await postgresStore(database, { mappings: [tasks], random: () => 0.5 });
    const migrations = await readMigrations();
    const newest = present(migrations.at(-1)).version;
    const older = (version: number) => ({
      code: "schema_older",
      message: `the schema is at migration ${version}, and this version of Tandem needs ${newest}`,
    });
    expect(await store.schemaMismatch()).toMatchObject(older(0));
    // The first migrations kept neither what they need nor the mappings they were run for.
    await migrate(database, [], [], undefined, migrations.slice(0, 1));
    expect(await store.schemaMismatch()).toMatchObject(older(0));
    await store.migrate([tasks]);
    expect(await store.schemaMismatch()).toBeNull();

    // A failure of another kind says nothing of the schema's age.
    await app.sql(`
      drop table tandem.mappings_in_use;
      create view tandem.mappings_in_use as select (1 / (random() * 0)::int)::text as digest`);
    await expect(store.schemaMismatch()).rejects.toMatchObject({ code: "22012" });
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
