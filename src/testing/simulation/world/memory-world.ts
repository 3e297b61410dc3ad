/** The app's side in memory: the sample app's tables, created again for every history. */
import type { AnyConfig } from "../../../config.ts";
import {
  createMemoryDatabase,
  type MemoryDatabase,
} from "../../../store/memory/memory-database.ts";
import type { MemoryTables } from "../../../store/memory/tables/index.ts";
import type { AppWorld } from "./app-world.ts";
import { OwnTokens } from "./own-tokens.ts";
import { PROJECTS, type WorldKind } from "./places.ts";

/** The time at which rows are archived. No code reads it. */
const LONG_AGO = "2026-01-01T00:00:00Z";

/**
 * @param tables The sample app's tables, with labels.
 * @param configure The sample's own mapping on a database.
 */
export function openMemoryWorld(
  kind: WorldKind,
  tables: MemoryTables,
  configure: (database: MemoryDatabase, tokens: OwnTokens) => AnyConfig,
): AppWorld {
  const tokens = new OwnTokens();
  let database = createMemoryDatabase({ tables });
  let config = configure(database, tokens);
  return {
    kind,
    tokens,
    get config() {
      return config;
    },
    clock: {},
    order: "own",
    async prepare() {
      database = createMemoryDatabase({ tables });
      config = configure(database, tokens);
      tokens.reset();
      for (const name of PROJECTS[kind]) await database.insert("projects", { name });
      await database.insert("users", { name: "Mona", github_login: "mona" });
    },
    async tasks() {
      return (await database.rows("tasks")).map((row) => ({
        id: text(row.id),
        projectId: text(row.project_id),
        title: text(row.title),
        markdown: text(row.markdown),
        status: text(row.status),
        labels: textsOf(row.labels),
        assignees: textsOf(row.assignees),
        ownerId: keyOrNull(row.owner_id),
        archived: row.deleted_at !== null,
      }));
    },
    async comments() {
      return (await database.rows("comments")).map((row) => ({
        id: text(row.id),
        taskId: text(row.task_id),
        markdown: text(row.markdown),
        authorId: keyOrNull(row.author_id),
      }));
    },
    async users() {
      return (await database.rows("users")).map((row) => ({
        id: text(row.id),
        name: text(row.name),
        login: keyOrNull(row.github_login),
        placeholder: row.placeholder === true,
      }));
    },
    async addUser(name, login) {
      await database.insert("users", { name, github_login: login });
    },
    async editUser(id, { login, ...edit }) {
      await database.update(
        "users",
        id,
        login === undefined ? edit : { ...edit, github_login: login },
      );
    },
    async addTask({ projectId, ownerId, title, labels }) {
      const task = { project_id: projectId, owner_id: ownerId, title, labels };
      return (await database.insert("tasks", task)).id;
    },
    async editTask(id, { archived: isArchived, projectId, ...edit }) {
      const deleted = isArchived === true ? LONG_AGO : null;
      const place = projectId === undefined ? edit : { ...edit, project_id: projectId };
      const patch = isArchived === undefined ? place : { ...place, deleted_at: deleted };
      await database.update("tasks", id, patch);
    },
    deleteTask: (id) => database.delete("tasks", id),
    async addComment(taskId, markdown, authorId) {
      const comment = { task_id: taskId, author_id: authorId, markdown };
      return (await database.insert("comments", comment)).id;
    },
    async editComment(id, markdown) {
      await database.update("comments", id, { markdown });
    },
    async moveComment(id, taskId) {
      await database.update("comments", id, { task_id: taskId });
    },
    deleteComment: (id) => database.delete("comments", id),
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function keyOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : text(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
