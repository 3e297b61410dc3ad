/** The sample app with Tandem and the simulator around it: where every situation begins. */
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import {
  createTestTandem,
  type TestTandem,
  TEST_REPOSITORY,
} from "../../src/testing/test-tandem.ts";
import type { AnyConfig } from "../../src/config.ts";
import type { ApiEvent, ApiEvents } from "../../src/server/api-types.ts";
import type { TestDatabase } from "./databases.ts";

export interface Task {
  readonly id: string;
  readonly project_id: string;
  readonly owner_id: string | null;
  readonly title: string;
  readonly markdown: string;
  readonly status: string;
  readonly deleted_at: string | null;
}

export interface SampleTandem extends TestTandem {
  readonly repo: typeof TEST_REPOSITORY;
  sql: TestDatabase["sql"];
  tasks(): Promise<readonly Task[]>;
  /** The only task there is. */
  task(): Promise<Task>;
  addTask(values: Partial<Pick<Task, "title" | "markdown" | "status">>): Promise<string>;
  editTask(id: string, values: Partial<Omit<Task, "id">>): Promise<void>;
  /** Events in the order they were born. */
  events(query?: string): Promise<readonly ApiEvent[]>;
  /** Each event as `direction state reason`. */
  story(query?: string): Promise<readonly string[]>;
  /** API calls that wrote. */
  writes(): number;
}

/** Opens a sample app on a fresh database, connected to `acme/site` by project 1. */
export async function givenSampleTandem(
  database: TestDatabase,
  change: (config: AnyConfig) => AnyConfig = (config) => config,
): Promise<SampleTandem> {
  await database.sql(SAMPLE_SCHEMA);
  await database.sql("insert into projects (name) values ('Site')");
  await database.sql("insert into users (name, github_login) values ('Mona', 'mona')");
  const source = database.pglite ?? database.url;
  if (source === undefined) throw new Error("the database has neither a PGlite nor a URL");
  const test = await createTestTandem({
    config: change(sampleConfig(source) as AnyConfig),
    sql: (text, params) => database.sql(text, params),
  });

  async function tasks(): Promise<readonly Task[]> {
    return database.sql<Task>(
      `select id::text, project_id::text, owner_id::text, title, markdown, status, deleted_at::text
       from tasks order by id`,
    );
  }
  async function events(query = ""): Promise<readonly ApiEvent[]> {
    const response = await test.tandem.fetch(
      new Request(`http://localhost/api/events?limit=500&${query}`),
    );
    const body = (await response.json()) as ApiEvents;
    return [...body.events].reverse();
  }
  return {
    ...test,
    repo: TEST_REPOSITORY,
    sql: (text, params) => database.sql(text, params),
    tasks,
    async task() {
      const all = await tasks();
      const [only] = all;
      if (only === undefined || all.length > 1) {
        throw new Error(`there are ${String(all.length)} tasks, not one`);
      }
      return only;
    },
    async addTask({ title = "A task", markdown = "", status = "todo" }) {
      const [row] = await database.sql<{ id: string }>(
        `insert into tasks (project_id, owner_id, title, markdown, status)
         values (1, 1, $1, $2, $3) returning id::text`,
        [title, markdown, status],
      );
      if (row === undefined) throw new Error("no task was inserted");
      return row.id;
    },
    async editTask(id, values) {
      for (const [column, value] of Object.entries(values)) {
        await database.sql(
          `update tasks set ${column} = $1, modified_at = tandem.now() where id = $2`,
          [value, id],
        );
      }
    },
    events,
    async story(query) {
      return (await events(query)).map(
        (event) => `${event.direction} ${event.state} ${event.reason}`,
      );
    },
    writes: () => test.github.calls({ writes: true }),
  };
}
