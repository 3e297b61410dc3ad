/** An animal of the zoo with Tandem around it, and the few things that its app does. */
import { expect } from "vitest";
import { type AnyConfig, defineConfig, reference } from "../../src/config.ts";
import { github } from "../../src/integrations/github/index.ts";
import type { Row } from "../../src/model/mapping.ts";
import type { ApiEvents } from "../../src/server/protocol/api-types.ts";
import { createTestTandem, type TestTandem, TEST_SECRET } from "../../src/testing/test-tandem.ts";
import { withSetting } from "./database-settings.ts";
import type { TestDatabase } from "./databases.ts";
import { asLimitedRole } from "./limited-role.ts";
import { type Animal, type Names, schemaOf } from "./zoo.ts";

/** The repositories of the animal's two scopes. */
export const SITE = "acme/site";
export const APP = "acme/app";

export interface ZooTask {
  readonly id: string;
  readonly scope: string;
  readonly title: string;
  readonly body: string;
  readonly status: string;
  readonly deleted: boolean;
}

export interface ZooApp extends TestTandem {
  tasks(): Promise<readonly ZooTask[]>;
  /** The texts of the comments, sorted. */
  comments(): Promise<readonly string[]>;
  addTask(values: Partial<Record<keyof Names, string>>): Promise<string>;
  editTask(id: string, values: Partial<Record<keyof Names, string>>): Promise<void>;
  removeTask(id: string): Promise<void>;
  addComment(taskId: string, text: string): Promise<string>;
  editComment(id: string, text: string): Promise<void>;
  removeComment(id: string): Promise<void>;
  /** Events that have not ended, or ended with an error. */
  troubled(): Promise<readonly string[]>;
  /** Runs polls and sweeps: nothing is left to do. */
  expectAtRest(): Promise<void>;
}

/** @param existing Runs before Tandem is migrated: what the app had already. */
export async function givenAnimal(
  animal: Animal,
  database: TestDatabase,
  existing: (app: Pick<ZooApp, "addTask" | "addComment">) => Promise<void> = () =>
    Promise.resolve(),
): Promise<ZooApp> {
  const inside = await caged(animal, database);
  const { sql, table } = schemaOf(animal);
  const { columns } = animal;
  const at = (name: keyof Names) => `"${columns[name].replaceAll('"', '""')}"`;
  await inside.sql(sql.replaceAll("$role", inside.role ?? "public"));
  await inside.sql(`insert into ${table("users")} (name, github_login) values ('Mona', 'mona')`);
  const app = {
    async addTask(values: Partial<Record<keyof Names, string>>) {
      const given = { scope: animal.scopes[0], title: "A task", ...values };
      const names = Object.keys(given) as (keyof Names)[];
      const [row] = await inside.sql<{ id: string }>(
        `insert into ${table("tasks")} (${at("owner")}, ${names.map(at).join(", ")})
         values (1, ${names.map((_, index) => `$${String(index + 1)}`).join(", ")})
         returning ${at("id")}::text as id`,
        Object.values(given),
      );
      if (row === undefined) throw new Error("no task was inserted");
      return row.id;
    },
    async addComment(taskId: string, text: string) {
      const [row] = await inside.sql<{ id: string }>(
        `insert into ${table("comments")} (${at("author")}, ${at("task")}, ${at("text")})
         values (1, $1, $2) returning ${at("id")}::text as id`,
        [taskId, text],
      );
      if (row === undefined) throw new Error("no comment was inserted");
      return row.id;
    },
  };
  await existing(app);
  const source = inside.pglite ?? inside.url;
  if (source === undefined) throw new Error("the database has neither a PGlite nor a URL");
  const test = await createTestTandem({
    config: configOf(animal, source),
    sql: (text, params) => inside.sql(text, params),
    scope: animal.scopes[0],
  });
  test.github.createRepository({ owner: "acme", name: "app" });
  await test.tandem.connect({
    account: {
      name: "acme",
      integration: "github",
      credentials: { token: "ghs_test", baseUrl: test.github.apiUrl },
      webhookSecret: TEST_SECRET,
    },
    container: APP,
    scope: animal.scopes[1],
  });
  const set = async (id: string, values: Partial<Record<keyof Names, string>>) => {
    const names = Object.keys(values) as (keyof Names)[];
    const pairs = names.map((name, index) => `${at(name)} = $${String(index + 2)}`);
    await inside.sql(
      `update ${table("tasks")} set ${pairs.join(", ")}, ${at("modified")} = tandem.now()
       where ${at("id")} = $1`,
      [id, ...Object.values(values)],
    );
  };
  const troubled = async () => {
    const answer = await test.tandem.fetch(new Request("http://localhost/api/events?limit=500"));
    const { events } = (await answer.json()) as ApiEvents;
    return events
      .filter(({ finished_at, state }) => finished_at === null || state === "errored")
      .map(({ direction, state, reason, error }) =>
        [direction, state, reason, error?.message ?? ""].join(" "),
      );
  };
  return {
    ...test,
    ...app,
    tasks: () =>
      inside.sql<ZooTask>(
        `select ${at("id")}::text as id, ${at("scope")}::text as scope, ${at("title")} as title,
           ${at("body")} as body, ${at("status")}::text as status,
           ${at("deleted")} is not null as deleted
         from ${table("tasks")} order by ${at("title")}`,
      ),
    comments: async () =>
      (
        await inside.sql<{ text: string }>(
          `select ${at("text")} as text from ${table("comments")} order by 1`,
        )
      ).map(({ text }) => text),
    editTask: set,
    async removeTask(id) {
      await inside.sql(`delete from ${table("tasks")} where ${at("id")} = $1`, [id]);
    },
    async editComment(id, text) {
      await inside.sql(
        `update ${table("comments")} set ${at("text")} = $2, ${at("modified")} = tandem.now()
         where ${at("id")} = $1`,
        [id, text],
      );
    },
    async removeComment(id) {
      await inside.sql(`delete from ${table("comments")} where ${at("id")} = $1`, [id]);
    },
    troubled,
    async expectAtRest() {
      await test.advance(60_000);
      test.github.clearRequests();
      await test.tandem.syncNow();
      await test.settle();
      for (const { differing, gone, moved, hidden } of await test.tandem.sweepRecordsNow()) {
        expect({ differing, gone, moved, hidden }).toEqual({
          ...{ differing: 0, gone: 0, moved: 0 },
          hidden: [],
        });
      }
      await test.settle();
      expect(await troubled()).toEqual([]);
      expect(test.github.calls({ writes: true })).toBe(0);
    },
  };
}

/** The database as the animal needs it, before its tables are there. */
async function caged(
  { zone, searchPath, limited }: Animal,
  database: TestDatabase,
): Promise<TestDatabase & { readonly role?: string }> {
  const zoned = zone === null ? database : await withSetting(database, "timezone", `'${zone}'`);
  const found = searchPath === null ? zoned : await withSetting(zoned, "search_path", searchPath);
  return limited ? asLimitedRole(found) : found;
}

function configOf({ tables, columns }: Animal, database: object | string): AnyConfig {
  const { status } = columns;
  return defineConfig({
    database,
    integrations: { github: github() },
    identities: { table: tables.users, login: { github: "github_login" }, unknown: "placeholder" },
    records: {
      [tables.tasks]: {
        key: columns.id,
        sync: {
          "github.issue": {
            scope: columns.scope,
            initial: "resource",
            pairBy: columns.title,
            softDelete: columns.deleted,
            modifiedAt: columns.modified,
            fields: {
              [columns.title]: "title",
              [columns.body]: "body",
              [columns.owner]: reference("author", tables.users),
              [status]: {
                field: "state",
                toResource: (row: Row) => (row[status] === "done" ? "closed" : "open"),
                toRecord: (state: string, row: Row | null) => {
                  if (state === "closed") return "done";
                  return row === null || row[status] === "done" ? "todo" : row[status];
                },
              },
            },
          },
        },
      },
      [tables.comments]: {
        key: columns.id,
        sync: {
          "github.issue_comment": {
            parent: { column: columns.task, record: tables.tasks },
            onRecordDeleted: "delete",
            onResourceDeleted: "delete",
            modifiedAt: columns.modified,
            fields: {
              [columns.text]: "body",
              [columns.author]: reference("author", tables.users),
            },
          },
        },
      },
    },
  });
}
