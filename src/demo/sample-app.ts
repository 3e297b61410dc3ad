/**
 * The sample app: a small task list over plain SQL, without any code for Tandem. Triggers capture its
 * writes, and it reads Tandem's writes like any other row.
 */
import type { Database, Queryable } from "../store/database/index.ts";
import { SAMPLE_SCHEMA } from "./sample-schema.ts";

export const TASK_STATUSES = ["backlog", "todo", "doing", "review", "done"] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export interface SampleUser {
  readonly id: string;
  readonly name: string;
  readonly github_login: string | null;
  readonly placeholder: boolean;
}

export interface SampleComment {
  readonly id: string;
  readonly markdown: string;
  readonly author: string | null;
  readonly created_at: string;
}

export interface SampleTask {
  readonly id: string;
  readonly title: string;
  readonly markdown: string;
  readonly status: TaskStatus;
  /** The owner's name. */
  readonly owner: string | null;
  readonly modified_at: string;
  readonly comments: readonly SampleComment[];
}

export interface TaskInput {
  readonly title: string;
  readonly markdown?: string | undefined;
  readonly status?: TaskStatus | undefined;
}

/** Absent fields stay unchanged. */
export interface TaskPatch extends Partial<Omit<TaskInput, "title">> {
  readonly title?: string | undefined;
}

export interface SampleApp {
  /** Creates missing tables. Returns whether there were none. */
  install(): Promise<boolean>;
  addUser(user: { readonly name: string; readonly githubLogin: string }): Promise<string>;
  /** Ordered by position in the list, without deleted tasks. */
  tasks(): Promise<readonly SampleTask[]>;
  users(): Promise<readonly SampleUser[]>;
  /** @returns The new task's id. */
  createTask(task: TaskInput, ownerId?: string): Promise<string>;
  /** @returns Whether the task exists. */
  updateTask(id: string, patch: TaskPatch): Promise<boolean>;
  moveTask(id: string, direction: "up" | "down"): Promise<boolean>;
  /** Keeps the row and marks it as deleted, as many apps do. */
  deleteTask(id: string): Promise<boolean>;
  /** @returns The new comment's id, or `null` if the task does not exist. */
  addComment(taskId: string, markdown: string, authorId?: string): Promise<string | null>;
  updateComment(id: string, markdown: string): Promise<boolean>;
  deleteComment(id: string): Promise<boolean>;
}

/** The app over its database. It shows and writes the first project only. */
export function sampleApp(database: Database): SampleApp {
  const changed = async (text: string, params: readonly unknown[]): Promise<boolean> =>
    (await database.query(text, params)).count > 0;
  const added = async (text: string, params: readonly unknown[]): Promise<string | null> =>
    (await database.query<{ id: string }>(text, params)).rows[0]?.id ?? null;

  return {
    async install() {
      await database.script(SAMPLE_SCHEMA);
      return changed(
        `insert into projects (name)
         select 'Website' where not exists (select from projects)
         returning id`,
        [],
      );
    },

    async addUser({ name, githubLogin }) {
      const id = await added(
        "insert into users (name, github_login) values ($1, $2) returning id",
        [name, githubLogin],
      );
      return id ?? missing("the new user");
    },

    tasks: () => listTasks(database),

    async users() {
      const { rows } = await database.query<SampleUser>(
        "select id, name, github_login, placeholder from users order by id",
      );
      return rows;
    },

    async createTask({ title, markdown = "", status = "todo" }, ownerId) {
      const id = await added(
        `insert into tasks (project_id, owner_id, title, markdown, status)
         values (1, $1, $2, $3, $4) returning id`,
        [ownerId ?? null, title, markdown, status],
      );
      return id ?? missing("the new task");
    },

    updateTask: (id, { title, markdown, status }) =>
      changed(
        `update tasks
         set title = coalesce($2, title),
           markdown = coalesce($3, markdown),
           status = coalesce($4, status),
           modified_at = clock_timestamp()
         where id = $1 and deleted_at is null`,
        [id, title ?? null, markdown ?? null, status ?? null],
      ),

    moveTask: (id, direction) => database.transaction((tx) => moveTask(tx, id, direction)),

    deleteTask: (id) =>
      changed(
        `update tasks set deleted_at = clock_timestamp(), modified_at = clock_timestamp()
         where id = $1 and deleted_at is null`,
        [id],
      ),

    addComment: (taskId, markdown, authorId) =>
      added(
        `insert into comments (task_id, author_id, markdown)
         select id, $2, $3 from tasks where id = $1 and deleted_at is null
         returning id`,
        [taskId, authorId ?? null, markdown],
      ),

    updateComment: (id, markdown) =>
      changed("update comments set markdown = $2, modified_at = clock_timestamp() where id = $1", [
        id,
        markdown,
      ]),

    deleteComment: (id) => changed("delete from comments where id = $1", [id]),
  };
}

async function listTasks(database: Queryable): Promise<readonly SampleTask[]> {
  const { rows } = await database.query<SampleTask>(
    `select tasks.id, title, markdown, status, users.name as owner, modified_at,
       coalesce(talk.comments, '[]') as comments
     from tasks
     left join users on users.id = owner_id
     left join lateral (
       select json_agg(
         json_build_object(
           'id', comments.id::text,
           'markdown', comments.markdown,
           'author', authors.name,
           'created_at', comments.created_at
         ) order by comments.id
       ) as comments
       from comments
       left join users as authors on authors.id = author_id
       where task_id = tasks.id
     ) as talk on true
     where project_id = 1 and deleted_at is null
     order by position, tasks.id`,
  );
  return rows;
}

/** Swaps positions with the neighbour; the last task in that direction stays. */
async function moveTask(tx: Queryable, id: string, direction: "up" | "down"): Promise<boolean> {
  const { rows } = await tx.query<{ id: string; position: string }>(
    `select id, position from tasks
     where project_id = 1 and deleted_at is null
     order by position, id
     for update`,
  );
  const at = rows.findIndex((row) => row.id === id);
  const one = rows[at];
  const other = rows[direction === "up" ? at - 1 : at + 1];
  if (one === undefined) return false;
  if (other === undefined) return true;
  await tx.query(
    `update tasks set position = places.position
     from (values ($1::bigint, $2::numeric), ($3::bigint, $4::numeric)) as places (id, position)
     where tasks.id = places.id`,
    [one.id, other.position, other.id, one.position],
  );
  return true;
}

function missing(what: string): never {
  throw new Error(`the database did not return ${what}`);
}
