/**
 * A zoo of schemas: the same task app over tables as apps really have them. A new animal is one entry below,
 * with what differs from the plain one.
 */
/** How an animal calls its columns. */
export interface Names {
  readonly id: string;
  readonly scope: string;
  readonly owner: string;
  readonly title: string;
  readonly body: string;
  readonly status: string;
  readonly deleted: string;
  readonly modified: string;
  readonly task: string;
  readonly author: string;
  readonly text: string;
}

export interface Animal {
  readonly name: string;
  /** As the configuration names the tables. */
  readonly tables: { readonly users: string; readonly tasks: string; readonly comments: string };
  readonly columns: Names;
  /** The schema in which the tables are, and which is on the search path where the names do not say it. */
  readonly schema: string;
  readonly searchPath: string | null;
  readonly zone: string | null;
  /** Whether Tandem's role is one that row security applies to. */
  readonly limited: boolean;
  /** Runs first: types, domains, sequences. */
  readonly before: string;
  /** The key of tasks and comments, and the type that refers to it. */
  readonly key: { readonly make: string; readonly type: string };
  readonly types: {
    readonly scope: string;
    readonly title: string;
    readonly body: string;
    readonly status: string;
    readonly time: string;
  };
  /** The two scopes that are connected, as text. */
  readonly scopes: readonly [string, string];
  /** More columns and constraints of tasks. */
  readonly taskExtras: string;
  /** How the key of tasks is declared, and whether comments may refer to it. */
  readonly taskKey: "column" | "with_scope";
  readonly taskPartitions: string;
  /** Runs last: triggers, partitions, policies. `$role` stands for Tandem's role. */
  readonly after: string;
  /** The title as the table stores it. */
  readonly writes: (title: string) => string;
}

const COLUMNS: Names = {
  id: "id",
  scope: "project_id",
  owner: "owner_id",
  title: "title",
  body: "markdown",
  status: "status",
  deleted: "deleted_at",
  modified: "modified_at",
  task: "task_id",
  author: "author_id",
  text: "markdown",
};

const PLAIN: Animal = {
  name: "plain",
  tables: { users: "users", tasks: "tasks", comments: "comments" },
  columns: COLUMNS,
  schema: "public",
  searchPath: null,
  zone: null,
  limited: false,
  before: "",
  key: { make: "bigint generated always as identity", type: "bigint" },
  types: { scope: "bigint", title: "text", body: "text", status: "text", time: "timestamptz" },
  scopes: ["1", "2"],
  taskExtras: "",
  taskKey: "column",
  taskPartitions: "",
  after: "",
  writes: (title) => title,
};

const PARTITIONS = `
  create table parted_a partition of tasks for values`;

/** Every animal, by what it has that others do not. */
export const zoo: readonly Animal[] = [
  { ...PLAIN, name: "bigint keys by default", key: { make: "bigserial", type: "bigint" } },
  {
    ...PLAIN,
    name: "uuid keys and uuid scopes",
    key: { make: "uuid default gen_random_uuid()", type: "uuid" },
    types: { ...PLAIN.types, scope: "uuid" },
    scopes: ["7c9e6679-7425-40de-944b-e07fc1f90ae7", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"],
  },
  {
    ...PLAIN,
    name: "text keys with slashes and umlauts",
    before: "create sequence numbers",
    key: { make: "text default 'Größe/' || nextval('numbers') || '?x=1&y'", type: "text" },
    types: { ...PLAIN.types, scope: "varchar(40)" },
    scopes: ["team/a b", "team/ü"],
  },
  {
    ...PLAIN,
    name: "quoted, mixed-case names",
    schema: "public",
    tables: { users: "User", tasks: "Task List", comments: 'Com"ment' },
    columns: {
      id: "Id",
      scope: "projectId",
      owner: "ownerId",
      title: "Title",
      body: "the body",
      status: "order",
      deleted: "deletedAt",
      modified: "updatedAt",
      task: "taskId",
      author: "user",
      text: 'te"xt',
    },
  },
  {
    ...PLAIN,
    name: "tables of a schema that the names say",
    before: 'create schema "My App"',
    schema: "My App",
    tables: { users: "My App.users", tasks: "My App.tasks", comments: "My App.comments" },
  },
  {
    ...PLAIN,
    name: "tables of a schema on the search path, and others of these names elsewhere",
    before: `create schema app;
      create table public.tasks (other text); create table public.comments (other text)`,
    schema: "app",
    searchPath: "app, public",
  },
  {
    ...PLAIN,
    name: "enums, domains, arrays and generated columns",
    before: `create type state as enum ('todo', 'doing', 'done');
      create domain title as text check (value <> '');
      create domain scope as bigint check (value > 0)`,
    types: { ...PLAIN.types, scope: "scope", title: "title", body: "varchar", status: "state" },
    taskExtras: `, tags text[] not null default '{}', seen state[] not null default '{todo}',
      slug text generated always as (lower(title)) stored`,
  },
  {
    ...PLAIN,
    name: "times without a zone in a database of Kolkata",
    zone: "Asia/Kolkata",
    types: { ...PLAIN.types, time: "timestamp(3)" },
  },
  {
    ...PLAIN,
    name: "row security that shows Tandem all rows",
    limited: true,
    after: ["users", "tasks", "comments"]
      .map(
        (table) => `alter table ${table} enable row level security;
          alter table ${table} force row level security;
          create policy shown on ${table} to $role using (true) with check (true)`,
      )
      .join(";"),
  },
  {
    ...PLAIN,
    name: "partitions by hash of the key",
    taskPartitions: "partition by hash (id)",
    after: `${PARTITIONS} with (modulus 2, remainder 0);
      create table parted_b partition of tasks for values with (modulus 2, remainder 1)`,
  },
  {
    ...PLAIN,
    name: "partitions by scope, between which rows move",
    key: { make: "uuid default gen_random_uuid()", type: "uuid" },
    taskKey: "with_scope",
    taskPartitions: "partition by list (project_id)",
    after: `${PARTITIONS} in (1);
      create table parted_b partition of tasks default`,
  },
  {
    ...PLAIN,
    name: "triggers that change what is written, and stamp it",
    writes: (title) => title.replaceAll("colour", "color"),
    after: `create function corrected() returns trigger language plpgsql as $$
      begin
        new.title := replace(new.title, 'colour', 'color');
        new.modified_at := tandem.now();
        return new;
      end $$;
      create trigger corrected before insert or update on tasks
        for each row execute function corrected()`,
  },
];

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** The animal's tables, and how its app reads and writes them. */
export function schemaOf({ schema, columns, key, types, taskKey, ...animal }: Animal): {
  readonly sql: string;
  readonly table: (name: keyof Animal["tables"]) => string;
} {
  const table = (name: keyof Animal["tables"]) => {
    const named = animal.tables[name];
    const bare = named.startsWith(`${schema}.`) ? named.slice(schema.length + 1) : named;
    return `${quote(schema)}.${quote(bare)}`;
  };
  const at = (name: keyof Names) => quote(columns[name]);
  const refers = taskKey === "column" ? `references ${table("tasks")} on delete cascade` : "";
  const primary = taskKey === "column" ? at("id") : `${at("id")}, ${at("scope")}`;
  const sql = `
    ${animal.before};
    create table ${table("users")} (
      id bigint generated always as identity primary key,
      name text not null, github_login text unique, placeholder boolean not null default false
    );
    create table ${table("tasks")} (
      ${at("id")} ${key.make},
      ${at("scope")} ${types.scope} not null,
      ${at("owner")} bigint references ${table("users")},
      ${at("title")} ${types.title} not null,
      ${at("body")} ${types.body} not null default '',
      ${at("status")} ${types.status} not null default 'todo',
      ${at("deleted")} ${types.time},
      ${at("modified")} ${types.time} not null default tandem.now(),
      primary key (${primary})
      ${animal.taskExtras}
    ) ${animal.taskPartitions};
    create table ${table("comments")} (
      ${at("id")} ${key.make} primary key,
      ${at("task")} ${key.type} not null ${refers},
      ${at("author")} bigint references ${table("users")},
      ${at("text")} text not null,
      ${at("modified")} ${types.time} not null default tandem.now()
    );
    ${animal.after}`;
  return { sql, table };
}
