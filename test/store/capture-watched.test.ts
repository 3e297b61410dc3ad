/** Which tables and columns are watched, and how the time of a write is read in the app's zone. */
import { expect, it } from "vitest";
import { formatInstant, parseInstant } from "../../src/model/instant.ts";
import { migrate } from "../../src/store/postgres/migrate.ts";
import type { IdentitySettings } from "../../src/store/store.ts";
import { aMapping, plainField } from "../engine/builders.ts";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { connectTo, TABLES, tasks } from "./opened-store.ts";

const identities: IdentitySettings = {
  table: "people",
  key: "id",
  login: { github: "github_login", linear: "linear_login" },
  unknown: "placeholder",
  placeholder: (actor) => ({ name: actor.login }),
};

const PEOPLE = `
create table people (
  id bigint, name text, github_login text, linear_login text, primary key (id)
)`;

describeOnEachDatabase("a migration", (open) => {
  const given = async (tables: string) => {
    const app = await open();
    await app.sql(tables);
    return { app, database: await connectTo(app) };
  };
  type Given = Awaited<ReturnType<typeof given>>;
  const watched = async ({ app }: Given) =>
    (
      await app.sql<{ name: string }>(
        `select distinct tgrelid::regclass::text as name
         from pg_trigger where tgname like 'tandem%' and tgparentid = 0 order by 1`,
      )
    ).map(({ name }) => name);
  const changes = ({ app }: Given) =>
    app.sql<{ record_id: string; columns: string[] }>(
      "select record_type, record_id, operation, columns from tandem.changes order by id",
    );

  it.each([
    ["a table", PEOPLE],
    [
      "a partitioned table",
      `${PEOPLE} partition by list (id); create table rest partition of people default`,
    ],
  ])("watches the logins of users that are in %s", async (_which, table) => {
    const all = await given(`${TABLES}; ${table}`);
    await migrate(all.database, [tasks], [], identities);
    expect(await watched(all)).toEqual(["people", "tasks"]);

    await all.app.sql("insert into people values (1, 'Ada', null, null)");
    await all.app.sql("update people set name = 'Ada L.'");
    await all.app.sql("update people set linear_login = 'ada'");
    await all.app.sql("update people set github_login = 'ada'");
    expect(await changes(all)).toEqual([
      {
        record_type: "people",
        record_id: "1",
        operation: "insert",
        columns: expect.anything() as unknown,
      },
      { record_type: "people", record_id: "1", operation: "update", columns: ["linear_login"] },
      { record_type: "people", record_id: "1", operation: "update", columns: ["github_login"] },
    ]);
    await all.database.close();
  });

  it("watches no users that are behind a view, and none where no placeholder stands for them", async () => {
    const all = await given(
      `${TABLES}; create view people as select id, name, github_login, null as linear_login from users`,
    );
    await migrate(all.database, [tasks], [], identities);
    expect(await watched(all)).toEqual(["tasks"]);
    for (const unknown of ["null", "error"] as const) {
      await migrate(all.database, [tasks], [], { ...identities, table: "users", unknown });
      expect(await watched(all)).toEqual(["tasks"]);
    }
    await migrate(all.database, [tasks], [], { ...identities, table: "missing" });
    expect(await watched(all)).toEqual(["tasks"]);
    await all.database.close();
  });

  it("watches users once that are mapped too, with the columns of both", async () => {
    const all = await given(PEOPLE);
    const people = aMapping({
      recordType: "people",
      scopeColumn: null,
      fields: [plainField("name", "title")],
    });
    await migrate(all.database, [people], [], identities);
    await all.app.sql("insert into people values (1, 'Ada', null, null)");
    await all.app.sql("update people set name = 'B', github_login = 'b', linear_login = 'c'");
    expect((await changes(all)).at(-1)?.columns).toEqual(["github_login", "linear_login", "name"]);
    await all.database.close();
  });

  it.each([
    ["timestamp", "Asia/Kolkata", "2026-03-01T06:30:00.123456Z"],
    ["timestamp", "America/New_York", "2026-03-01T17:00:00.123456Z"],
    ["timestamptz", "Asia/Kolkata", "2026-03-01T12:00:00.123456Z"],
  ])("lets a write have the app's own time, of type %s in %s", async (type, timeZone, instant) => {
    const all = await given(
      `create table tasks (id bigint primary key, project_id bigint, title text, edited ${type})`,
    );
    const mapping = aMapping({ fields: [plainField("title")], modifiedAt: "edited" });
    await migrate(all.database, [mapping], [], undefined, undefined, timeZone);
    await all.database.transaction(async (tx) => {
      await tx.query("set local timezone to 'UTC'");
      await tx.query("insert into tasks values (1, 1, 'A', '2026-03-01 12:00:00.123456')");
    });
    const { rows } = await all.database.query<{ changed_at: string }>(
      "select to_json(changed_at) #>> '{}' as changed_at from tandem.changes",
    );
    expect(rows.map((row) => formatInstant(parseInstant(row.changed_at)))).toEqual([instant]);
    await all.database.close();
  });
});
