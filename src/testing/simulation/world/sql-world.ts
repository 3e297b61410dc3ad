/** The app's side on Postgres or PGlite: the sample app's tables, with columns for labels and assignees. */
import type { AnyConfig } from "../../../config.ts";
import type { AppComment, AppTask, AppUser, AppWorld } from "./app-world.ts";
import { OwnTokens } from "./own-tokens.ts";
import { PROJECTS, type WorldKind } from "./places.ts";

/** Runs one statement as the app would; without parameters, several. */
export type Sql = <T>(text: string, params?: unknown[]) => Promise<readonly T[]>;

export interface SqlWorldOptions {
  readonly kind: WorldKind;
  readonly sql: Sql;
  /** The sample's own mapping on this database. */
  readonly configure: (tokens: OwnTokens) => AnyConfig;
  /** The sample's own tables. */
  readonly schema: string;
}

/** All tables of Tandem with data of a history; partitions are included with their parents. */
const TABLES_OF_TANDEM = `
  select format('tandem.%I', relname) as name
  from pg_class
  where relnamespace = to_regnamespace('tandem') and relkind in ('r', 'p') and not relispartition
    and relname not in ('migrations', 'virtual_clock')`;

/** Opens the app's side on a database that may have served earlier histories. */
export async function openSqlWorld(options: SqlWorldOptions): Promise<AppWorld> {
  const { kind, sql, schema } = options;
  const tokens = new OwnTokens();
  await sql(schema);
  for (const column of ["labels", "assignees"]) {
    await sql(`alter table tasks add column if not exists ${column} text[] not null default '{}'`);
  }
  async function idOf(text: string, params: unknown[]): Promise<string> {
    const [row] = await sql<{ id: string }>(`${text} returning id::text`, params);
    if (row === undefined) throw new Error("nothing was inserted");
    return row.id;
  }
  return {
    kind,
    tokens,
    config: options.configure(tokens),
    clock: { sql: (text, params) => sql(text, params) },
    order: "machine",
    async prepare() {
      await sql("truncate tasks, comments, users, projects restart identity cascade");
      const tables = await sql<{ name: string }>(TABLES_OF_TANDEM);
      if (tables.length > 0) {
        const names = tables.map(({ name }) => name).join(", ");
        await sql(`truncate ${names} restart identity cascade`);
      }
      tokens.reset();
      for (const name of PROJECTS[kind]) {
        await sql("insert into projects (name) values ($1)", [name]);
      }
      await sql("insert into users (name, github_login) values ('Mona', 'mona')");
    },
    tasks: () =>
      sql<AppTask>(
        `select id::text, project_id::text as "projectId", title, markdown, status, labels, assignees, owner_id::text as "ownerId",
           deleted_at is not null as archived
         from tasks order by tasks.id`,
      ),
    comments: () =>
      sql<AppComment>(
        `select id::text, task_id::text as "taskId", markdown, author_id::text as "authorId"
         from comments order by comments.id`,
      ),
    users: () =>
      sql<AppUser>(
        "select id::text, name, github_login as login, placeholder from users order by users.id",
      ),
    async addUser(name, login) {
      await sql("insert into users (name, github_login) values ($1, $2)", [name, login]);
    },
    async editUser(id, { login, ...edit }) {
      const columns = login === undefined ? edit : { ...edit, github_login: login };
      for (const [column, value] of Object.entries(columns)) {
        await sql(`update users set ${column} = $1 where id = $2`, [value, id]);
      }
    },
    addTask: ({ projectId, ownerId, title, labels }) =>
      idOf("insert into tasks (project_id, owner_id, title, labels) values ($1, $2, $3, $4)", [
        projectId,
        ownerId,
        title,
        labels,
      ]),
    async editTask(id, { archived, projectId, ...edit }) {
      if (projectId !== undefined) {
        await sql("update tasks set project_id = $1 where id = $2", [projectId, id]);
      }
      for (const [column, value] of Object.entries(edit)) {
        await sql(`update tasks set ${column} = $1 where id = $2`, [value, id]);
      }
      if (archived === undefined) return;
      const time = archived ? "tandem.now()" : "null";
      await sql(`update tasks set deleted_at = ${time} where id = $1`, [id]);
    },
    async deleteTask(id) {
      await sql("delete from tasks where id = $1", [id]);
    },
    addComment: (taskId, markdown, authorId) =>
      idOf("insert into comments (task_id, author_id, markdown) values ($1, $2, $3)", [
        taskId,
        authorId,
        markdown,
      ]),
    async editComment(id, markdown) {
      await sql("update comments set markdown = $1 where id = $2", [markdown, id]);
    },
    async moveComment(id, taskId) {
      await sql("update comments set task_id = $1 where id = $2", [taskId, id]);
    },
    async deleteComment(id) {
      await sql("delete from comments where id = $1", [id]);
    },
  };
}
