/** The sample app with Tandem and the simulator around it: where every situation begins. */
import { sampleConfig } from "../../src/demo/sample-config.ts";
import {
  createTestTandem,
  type TestTandem,
  type TestTandemOptions,
  TEST_REPOSITORY,
} from "../../src/testing/test-tandem.ts";
import type { AnyConfig } from "../../src/config.ts";
import type { Delivery } from "../../src/testing/github/index.ts";
import type {
  ApiEvent,
  ApiEvents,
  ApiExplanation,
  ApiStatus,
} from "../../src/server/protocol/api-types.ts";
import type { TestDatabase } from "./databases.ts";
import { SAMPLE } from "./sample-rows.ts";

export interface Task {
  readonly id: string;
  readonly project_id: string;
  readonly owner_id: string | null;
  readonly title: string;
  readonly markdown: string;
  readonly status: string;
  readonly deleted_at: string | null;
}

export interface Comment {
  readonly id: string;
  readonly task_id: string;
  readonly author_id: string | null;
  readonly markdown: string;
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly github_login: string | null;
  readonly placeholder: boolean;
}

/** A webhook as the receiver keeps it. */
export interface StoredDelivery {
  readonly event: string;
  readonly action: string | null;
  readonly state: string;
  readonly reason: string | null;
  readonly times_received: number;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

export interface SampleTandem extends TestTandem {
  readonly repo: typeof TEST_REPOSITORY;
  sql: TestDatabase["sql"];
  tasks(): Promise<readonly Task[]>;
  /** The only task there is. */
  task(): Promise<Task>;
  comments(): Promise<readonly Comment[]>;
  users(): Promise<readonly User[]>;
  /** Webhooks in the order they were received. */
  storedDeliveries(): Promise<readonly StoredDelivery[]>;
  /** The title in our cached copy of an issue. */
  copiedTitle(number: number): Promise<string | undefined>;
  /** Holds webhooks back from here on; `held` lists them, `release` sends them in order. */
  holdWebhooks(): void;
  held(): readonly Delivery[];
  release(...deliveries: readonly Delivery[]): Promise<void>;
  /** Default: in project 1, which is the connected one. */
  addTask(
    values: Partial<Pick<Task, "project_id" | "title" | "markdown" | "status">>,
  ): Promise<string>;
  /** A comment by Mona, on a task. */
  addComment(taskId: string, markdown: string): Promise<string>;
  editTask(id: string, values: Partial<Omit<Task, "id">>): Promise<void>;
  /** Events in the order they were born. */
  events(query?: string): Promise<readonly ApiEvent[]>;
  /** Each event as `direction state reason`. */
  story(query?: string): Promise<readonly string[]>;
  /** The state of a task's pairings. */
  pairings(taskId: string): Promise<ApiExplanation["pairings"]>;
  /** Accounts, connections and counts. */
  status(): Promise<ApiStatus>;
  /** API calls that wrote. */
  writes(): number;
  /** API calls that read. */
  reads(): number;
}

/** Longer than a webhook takes to leave, and shorter than GitHub waits for its answer. */
const A_WHILE_MS = 1_000;

/** Opens a sample app on a fresh database, connected to `acme/site` by project 1. */
export async function givenSampleTandem(
  database: TestDatabase,
  change?: (config: AnyConfig) => AnyConfig,
  options: Pick<
    TestTandemOptions,
    | "environment"
    | "failpoints"
    | "listenIn"
    | "log"
    | "onWebhook"
    | "processAheadMillis"
    | "takesIn"
    | "wrapStore"
  > = {},
): Promise<SampleTandem> {
  const isPrepared = database.beginning === "sample";
  if (!isPrepared) await database.sql(SAMPLE);
  const source = database.pglite ?? database.url;
  if (source === undefined) throw new Error("the database has neither a PGlite nor a URL");
  const test = await createTestTandem({
    ...options,
    config: change?.(sampleConfig(source)) ?? sampleConfig(source),
    isMigrated: isPrepared && change === undefined,
    sql: (text, params) => database.sql(text, params),
  });

  async function tasks(): Promise<readonly Task[]> {
    return database.sql<Task>(
      `select id::text, project_id::text, owner_id::text, title, markdown, status, deleted_at::text
       from tasks order by id`,
    );
  }
  async function ask(path: string): Promise<unknown> {
    const response = await test.tandem.fetch(new Request(`http://localhost/api/${path}`));
    return response.json();
  }
  async function events(query = ""): Promise<readonly ApiEvent[]> {
    const body = (await ask(`events?limit=500&${query}`)) as ApiEvents;
    return [...body.events].reverse();
  }
  async function advance(millis: number): Promise<void> {
    // A jump would use up GitHub's patience with a webhook that is about to leave.
    const isJump = millis > A_WHILE_MS && test.github.pendingDeliveries > 0;
    if (isJump) await test.advance(A_WHILE_MS);
    await test.advance(isJump ? millis - A_WHILE_MS : millis);
  }
  return {
    ...test,
    advance,
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
    comments: () =>
      database.sql<Comment>(
        "select id::text, task_id::text, author_id::text, markdown from comments order by id",
      ),
    users: () =>
      database.sql<User>("select id::text, name, github_login, placeholder from users order by id"),
    storedDeliveries: () =>
      database.sql<StoredDelivery>(
        `select event, action, state, reason, times_received, error
         from tandem.deliveries order by received_at, id`,
      ),
    async copiedTitle(number) {
      const [copy] = await database.sql<{ title: string }>(
        "select title from tandem.github_issues where external_id = $1",
        [String(number)],
      );
      return copy?.title;
    },
    holdWebhooks() {
      test.github.faults.webhooks.hold = true;
    },
    held: () => test.github.deliveries.filter(({ state }) => state === "held"),
    async release(...deliveries) {
      for (const { id } of deliveries) {
        await test.github.releaseDeliveries([id]);
        await advance(1);
      }
    },
    async addTask({ project_id = "1", title = "A task", markdown = "", status = "todo" }) {
      const [row] = await database.sql<{ id: string }>(
        `insert into tasks (project_id, owner_id, title, markdown, status)
         values ($1, 1, $2, $3, $4) returning id::text`,
        [project_id, title, markdown, status],
      );
      if (row === undefined) throw new Error("no task was inserted");
      return row.id;
    },
    async addComment(taskId, markdown) {
      const [row] = await database.sql<{ id: string }>(
        `insert into comments (task_id, author_id, markdown) values ($1, 1, $2) returning id::text`,
        [taskId, markdown],
      );
      if (row === undefined) throw new Error("no comment was inserted");
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
    async pairings(taskId) {
      return ((await ask(`explain/tasks/${taskId}`)) as ApiExplanation).pairings;
    },
    status: async () => (await ask("status")) as ApiStatus,
    writes: () => test.github.calls({ writes: true }),
    reads: () => test.github.calls({ method: "GET" }),
  };
}

/** A sample app with one issue of Mona's, paired a minute ago. */
export async function givenIssue(
  database: TestDatabase,
  title: string,
  change?: (config: AnyConfig) => AnyConfig,
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, change);
  app.github.as("mona").openIssue(app.repo, { title });
  await app.settle();
  await app.advance(60_000);
  app.github.clearRequests();
  return app;
}

/** With a journal of tasks: then each write to one is captured, Tandem's own too. */
export function journaled(config: AnyConfig): AnyConfig {
  const tasks = { ...config.records.tasks, journal: true };
  return { ...config, records: { ...config.records, tasks } };
}
