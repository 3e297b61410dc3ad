/** The sample app's own tables. None of them is made for Tandem: any task app looks like this. */
export const SAMPLE_SCHEMA = `
create table if not exists users (
  id bigint generated always as identity primary key,
  name text not null,
  github_login text unique,
  -- Stands for somebody who was seen elsewhere and never signed up.
  placeholder boolean not null default false
);

create table if not exists projects (
  id bigint generated always as identity primary key,
  name text not null
);

-- A new task goes to the end of the list, whoever inserts it.
create sequence if not exists task_positions;

create table if not exists tasks (
  id bigint generated always as identity primary key,
  project_id bigint not null references projects,
  owner_id bigint references users,
  title text not null check (title <> ''),
  markdown text not null default '',
  status text not null default 'todo'
    check (status in ('backlog', 'todo', 'doing', 'review', 'done')),
  position numeric not null default nextval('task_positions'),
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  modified_at timestamptz not null default now()
);

create table if not exists comments (
  id bigint generated always as identity primary key,
  task_id bigint not null references tasks on delete cascade,
  author_id bigint references users,
  markdown text not null,
  created_at timestamptz not null default now(),
  modified_at timestamptz not null default now()
);

create index if not exists comments_task_id on comments (task_id);
`;
