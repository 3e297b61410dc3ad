/** The SQL of the capture triggers, by the types of a table's columns. A write of the app pays for each cast in it. */
import { describe, expect, it } from "vitest";
import { type CapturedTable, captureSql } from "../../src/store/postgres/capture/capture-sql.ts";
import type { Column } from "../../src/store/postgres/capture/table-shapes.ts";

function aColumn(name: string, changes: Partial<Column> = {}): Column {
  return {
    name,
    quoted: `"${name}"`,
    type: "text",
    builtin: "text",
    isEnum: false,
    element: null,
    generated: false,
    notNull: false,
    wall: null,
    ...changes,
  };
}

const key = aColumn("id", { type: "bigint", builtin: "int8" });

function sqlOf(changes: Partial<CapturedTable>) {
  const columns = [key, ...(changes.columns ?? []), ...(changes.journal ?? [])];
  return captureSql({
    recordType: "tasks",
    shape: {
      oid: "1",
      kind: "r",
      quoted: '"public"."tasks"',
      ruled: false,
      inherited: false,
      columns: new Map(columns.map((column) => [column.name, column])),
      selectList: "",
    },
    key,
    columns: [],
    journal: [],
    modifiedAt: null,
    timeZone: null,
    ...changes,
  });
}

/** The part of an update's condition that compares columns. */
function updatesWhen(install: string): string | undefined {
  return /after update on [^]*?when \(\(\n([^]*?)\n {2}\) and \(/.exec(install)?.[1]?.trim();
}

/** The condition under which an update of a table with this column calls the function. */
function conditionOf(builtin: string | null, isEnum = false): string | undefined {
  const { install } = sqlOf({ columns: [aColumn("value", { builtin, isEnum })] });
  return updatesWhen(install);
}

const BY_KEY = 'old."id" is distinct from new."id"';

describe("an update calls the capture function", () => {
  it.each([
    ...["bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "uuid", "bytea"],
    ...["date", "time", "timetz", "timestamp", "timestamptz", "jsonb"],
  ])("if two values of type %s are distinct, without a cast", (builtin) => {
    expect(conditionOf(builtin)).toBe(`${BY_KEY}\n    or old."value" is distinct from new."value"`);
  });

  it("if two values of an enum are distinct, which is a type of the app", () => {
    expect(conditionOf(null, true)).toBe(
      `${BY_KEY}\n    or old."value" is distinct from new."value"`,
    );
  });

  it.each(["text", "varchar", "json", "xml", "point", "interval", null])(
    "if the texts of two values of type %s differ in a byte",
    (builtin) => {
      expect(conditionOf(builtin)).toBe(
        `${BY_KEY}\n    or old."value"::text collate pg_catalog."C"` +
          ' is distinct from new."value"::text collate pg_catalog."C"',
      );
    },
  );

  it("if a column of the journal moves, and each column is compared once", () => {
    const [title, note] = [aColumn("title"), aColumn("note", { builtin: "int4" })];
    const { install } = sqlOf({ columns: [title], journal: [title, note] });
    expect(updatesWhen(install)?.split("\n    or ")).toHaveLength(3);
    expect(install).toContain("moved text[] := array['title', 'note']::text[];");
  });
});

describe("the capture function", () => {
  it("keeps numbers that JSON has no room for as text, and builds the old row only if it is gone", () => {
    const columns = [
      key,
      aColumn("price", { builtin: "numeric" }),
      aColumn("count", { builtin: "int4" }),
    ];
    expect(sqlOf({ columns }).install).toContain(
      `if tg_op = 'DELETE' or (tg_op = 'UPDATE' and old_key <> new_key) then
      old_row := jsonb_build_object('id', old."id"::text, 'price', old."price"::text,` +
        ` 'count', to_jsonb(old."count"));`,
    );
  });

  it.each([
    ["timestamp", "Asia/Kolkata", `(new."edited" at time zone 'Asia/Kolkata')`],
    ["timestamp", null, 'new."edited"::timestamptz'],
    ["timestamptz", "Asia/Kolkata", 'new."edited"::timestamptz'],
  ])("reads a time of modification of type %s in the zone %s", (builtin, timeZone, written) => {
    const modifiedAt = aColumn("edited", { builtin });
    expect(sqlOf({ modifiedAt, timeZone }).install).toContain(
      `
    if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new."edited" is distinct from old."edited") then
      changed := least(changed, greatest(coalesce(${written}, changed), '1970-01-01 00:00Z'));
    end if;`,
    );
  });

  it("has nothing of a time of modification where the mapping names none", () => {
    expect(sqlOf({}).install).not.toContain("least(changed");
  });

  it("has nothing of a journal where the table has none", () => {
    const { install } = sqlOf({ columns: [aColumn("title")] });
    expect(install).not.toContain("values_moved");
    expect(install).toContain("transaction_id, old_record)");
    expect(install).toContain("'{}', changed, origin, pg_current_xact_id(), old_row);");
    expect(install).toContain("\n      pg_current_xact_id()\n    );");
  });

  it("keeps the values before and after of each column of a journal", () => {
    const journal = [aColumn("title"), aColumn("price", { builtin: "numeric" })];
    const { install } = sqlOf({ journal });
    expect(install).toContain("  values_moved jsonb := '{}';");
    expect(install).toContain(`'from', to_jsonb(old."title"), 'to', to_jsonb(new."title")`);
    expect(install).toContain(`'from', old."price"::text, 'to', new."price"::text`);
    expect(install).toContain("else '{}' end\n        || case when");
    expect(install).toContain("transaction_id, old_record, journal)");
  });

  it("is quoted by a tag that its body does not have, however often that is taken", () => {
    const columns = ["$capture$", "$capture1$"].map((name) => aColumn(name));
    expect(sqlOf({ columns }).install).toContain("as $capture2$\ndeclare");
    expect(sqlOf({}).install).toContain("as $capture$\ndeclare");
  });

  it("has a readable name, and another one for each table", () => {
    const named = (recordType: string) => sqlOf({ recordType }).functionName;
    expect(named("Tasks & notes")).toMatch(/^capture_tasks_notes_[0-9a-f]{8}$/);
    expect(named("x".repeat(63))).toMatch(/^capture_x{40}_[0-9a-f]{8}$/);
    expect(named("my-tasks")).not.toBe(named("my_tasks"));
    expect(sqlOf({}).function).toBe(`tandem."${sqlOf({}).functionName}"`);
  });

  it("and its four triggers carry the digest of what is installed", () => {
    const { install, digest } = sqlOf({});
    expect(install.match(new RegExp(`is '${digest}'`, "g"))).toHaveLength(5);
    for (const operation of ["insert", "update", "delete", "truncate"]) {
      const trigger = `tandem_capture_${operation}`;
      expect(install).toContain(`drop trigger if exists ${trigger} on "public"."tasks";`);
      expect(install).toContain(`create trigger ${trigger}\n  after ${operation} on`);
      expect(install).toContain(`comment on trigger ${trigger} on "public"."tasks" is`);
    }
    expect(sqlOf({ columns: [aColumn("title")] }).digest).not.toBe(digest);
  });
});
