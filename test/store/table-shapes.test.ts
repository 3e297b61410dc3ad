/** The facts about an app's table that Tandem reads before it reads or writes rows. */
import { expect, it } from "vitest";
import { MigrationError } from "../../src/store/database/migration-error.ts";
import {
  mayHideRows,
  readTableShape,
  TableShapes,
} from "../../src/store/postgres/capture/table-shapes.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

describeOnEachEmptyDatabase("a database whose zone has no name, only an offset,", (open) => {
  it("has tables with such times refused until the configuration names the zone", async () => {
    const database = await connectTo(await open());
    await database.script(`
      create table notes (id bigint primary key, written timestamp);
      create table events (id bigint primary key, happened timestamptz)`);
    await database.transaction(async (tx) => {
      await tx.query("set local timezone to '<+0530>-05:30'");

      const refused: unknown = await readTableShape(tx, "notes").catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(MigrationError);
      expect(refused).toMatchObject({
        code: "time_zone_unknown",
        message:
          "notes keeps times without a zone, and the database's zone <+0530>-05:30 is no name of one",
        hint: 'Name the zone in which the app writes them in the configuration: timeZone: "Asia/Kolkata".',
      });
      const named = await readTableShape(tx, "notes", "Asia/Kolkata");
      expect(named?.columns.get("written")?.wall?.zone).toBe("Asia/Kolkata");
      // Its times say themselves when they are.
      expect((await readTableShape(tx, "events"))?.columns.get("happened")?.wall).toBeNull();
    });
  });
});

describeOnEachEmptyDatabase("a table of the app", (open) => {
  const connected = async (tables: string) => {
    const database = await connectTo(await open());
    await database.script(tables);
    return database;
  };
  const shapeOf = async (database: Awaited<ReturnType<typeof connected>>, name: string) => {
    const shape = await readTableShape(database, name);
    if (shape === null) throw new Error(`there is no table ${name}`);
    return shape;
  };

  it("shows each column once, with the built-in type below its domains", async () => {
    const database = await connected(`
      create domain short as varchar(10);
      create domain title as short not null;
      create domain tags as text[];
      create type feeling as enum ('good', 'bad');
      create domain mood as feeling;
      create table tasks (
        id bigint generated always as identity primary key,
        title title,
        price numeric(10, 2),
        tags tags,
        feeling feeling not null,
        feelings feeling[],
        mood mood,
        documents jsonb[],
        doubled numeric generated always as (price * 2) stored,
        at timestamp,
        day date,
        "od""d" text,
        gone text
      );
      alter table tasks drop column gone`);
    const { columns, selectList } = await shapeOf(database, "tasks");
    const plain = { isEnum: false, element: null, generated: false, notNull: false };
    const built = (name: string, builtin: string | null, changes: object = {}) => {
      const quoted = name === 'od"d' ? '"od""d"' : `"${name}"`;
      return expect.objectContaining({ name, quoted, builtin, ...plain, ...changes }) as unknown;
    };
    expect([...columns.values()]).toEqual([
      built("id", "int8", { type: "bigint", notNull: true }),
      // The domain does not take null; the column says nothing of it.
      built("title", "varchar", { type: "title" }),
      built("price", "numeric", { type: "numeric" }),
      built("tags", "_text", { type: "tags", element: { builtin: "text" } }),
      built("feeling", null, { type: "feeling", isEnum: true, notNull: true }),
      built("feelings", null, { type: "feeling[]", element: { builtin: null } }),
      built("mood", null, { type: "mood", isEnum: true }),
      built("documents", "_jsonb", { type: "jsonb[]", element: { builtin: "jsonb" } }),
      built("doubled", "numeric", { generated: true }),
      built("at", "timestamp", { type: "timestamp without time zone" }),
      built("day", "date"),
      built('od"d', "text"),
    ]);
    expect(selectList).toBe(
      '"id", "title", "price", "tags", "feeling", "feelings"::text[] as "feelings", "mood",' +
        ' "documents", "doubled", "at", "day", "od""d"',
    );
    const timed = [...columns.values()].filter(({ wall }) => wall !== null);
    expect(timed.map(({ name }) => name)).toEqual(["at", "day"]);
  });

  it("is known by its kind, its rules and the tables that inherit from it", async () => {
    const database = await connected(`
      create table plain (id bigint);
      create table parted (id bigint) partition by list (id);
      create table part partition of parted for values in (1);
      create view seen as select * from plain;
      create table ruled (id bigint);
      create rule quiet as on delete to ruled do instead nothing;
      create table above (id bigint);
      create table below () inherits (above)`);
    const told = async (name: string) => {
      const { kind, ruled, inherited } = await shapeOf(database, name);
      return { kind, ruled, inherited };
    };
    const table = { kind: "r", ruled: false, inherited: false };
    expect(await told("plain")).toEqual(table);
    expect(await told("parted")).toEqual({ ...table, kind: "p" });
    expect(await told("part")).toEqual(table);
    expect(await told("seen")).toEqual({ ...table, kind: "v", ruled: true });
    expect(await told("ruled")).toEqual({ ...table, ruled: true });
    expect(await told("above")).toEqual({ ...table, inherited: true });
    expect(await told("below")).toEqual(table);
    expect(await readTableShape(database, "missing")).toBeNull();
    expect(await readTableShape(database, "no_schema.plain")).toBeNull();
  });

  it("is found by its schema and name, unless a table has the dot in its own name", async () => {
    const database = await connected(`
      create schema crm;
      create table crm.tasks (id bigint);
      create table crm."a.b" (id bigint)`);
    expect((await shapeOf(database, "crm.tasks")).quoted).toBe('"crm"."tasks"');
    expect((await shapeOf(database, "crm.a.b")).quoted).toBe('"crm"."a.b"');
    await database.script('create table "crm.tasks" (id bigint)');
    expect((await shapeOf(database, "crm.tasks")).quoted).toMatch(/^"\w+"\."crm\.tasks"$/);
  });

  it("is read once, and again if a patch names a column that it did not have, or all is forgotten", async () => {
    const database = await connected("create table tasks (id bigint)");
    const shapes = new TableShapes();
    const first = await shapes.of(database, "tasks");
    expect(await shapes.of(database, "tasks", [{ id: 1 }])).toBe(first);
    await database.script("alter table tasks add column title text");
    expect(await shapes.of(database, "tasks")).toBe(first);
    const second = await shapes.of(database, "tasks", [{ id: 1 }, { title: "A" }]);
    expect(second?.columns.has("title")).toBe(true);
    expect(await shapes.of(database, "tasks")).toBe(second);
    shapes.forget();
    expect(await shapes.of(database, "tasks")).not.toBe(second);
    // One that is not there is looked for again.
    expect(await shapes.of(database, "notes")).toBeNull();
    await database.script("create table notes (id bigint)");
    expect(await shapes.of(database, "notes")).not.toBeNull();
  });

  it("hides no rows from its owner", async () => {
    const database = await connected(`
      create table tasks (id bigint);
      alter table tasks enable row level security`);
    expect(await mayHideRows(database, await shapeOf(database, "tasks"))).toBe(false);
  });
});
