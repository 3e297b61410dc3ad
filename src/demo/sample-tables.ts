/** The sample app's tables of `sample-schema.ts`, for a database in memory. */
import { formatInstant } from "../model/instant.ts";
import type { Row } from "../model/mapping.ts";
import type { MemoryTables, NewRow } from "../store/memory/tables/index.ts";

const STATUSES = ["backlog", "todo", "doing", "review", "done"];

const time = ({ now }: NewRow) => formatInstant(now);

export const SAMPLE_TABLES = {
  users: {
    columns: { name: undefined, github_login: null, placeholder: false },
    unique: ["github_login"],
  },
  projects: { columns: { name: undefined } },
  tasks: {
    columns: {
      project_id: undefined,
      owner_id: null,
      title: undefined,
      markdown: "",
      status: "todo",
      position: ({ key }: NewRow) => key,
      deleted_at: null,
      created_at: time,
      modified_at: time,
    },
    references: { project_id: { table: "projects" }, owner_id: { table: "users" } },
    checks: {
      tasks_title_check: ({ title }: Row) => title !== "",
      tasks_status_check: ({ status }: Row) => STATUSES.includes(String(status)),
    },
  },
  comments: {
    columns: {
      task_id: undefined,
      author_id: null,
      markdown: undefined,
      created_at: time,
      modified_at: time,
    },
    references: {
      task_id: { table: "tasks", onDelete: "cascade" },
      author_id: { table: "users" },
    },
  },
} as const satisfies MemoryTables;
