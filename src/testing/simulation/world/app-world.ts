/**
 * The app's side of a simulated history: its tables, as its users change them. The ledger is read through
 * the store, so a new kind of database only needs an implementation of this interface.
 */
import type { AnyConfig } from "../../../config.ts";
import type { TestTandemOptions } from "../../test-tandem.ts";
import type { OwnTokens } from "./own-tokens.ts";
import type { WorldKind } from "./places.ts";

export interface AppTask {
  readonly id: string;
  readonly projectId: string;
  readonly title: string;
  readonly markdown: string;
  readonly status: string;
  readonly labels: readonly string[];
  /** Logins; always empty unless the world maps them. */
  readonly assignees: readonly string[];
  readonly ownerId: string | null;
  /** Whether a user, or Tandem, has archived it. */
  readonly archived: boolean;
}

export interface AppComment {
  readonly id: string;
  readonly taskId: string;
  readonly markdown: string;
  readonly authorId: string | null;
}

export interface AppUser {
  readonly id: string;
  readonly name: string;
  readonly login: string | null;
  readonly placeholder: boolean;
}

export type TaskEdit = Partial<
  Pick<AppTask, "projectId" | "title" | "markdown" | "status" | "labels" | "assignees" | "archived">
>;

export interface AppWorld {
  readonly kind: WorldKind;
  /** Tokens of the app's users, which exist in a moving world only. */
  readonly tokens: OwnTokens;
  /** The configuration of Tandem: the sample's mapping, with labels, on this database. */
  readonly config: AnyConfig;
  /** How a test Tandem sets this database's time. */
  readonly clock: Pick<TestTandemOptions, "sql">;
  /** `machine`: the machine decides the order of parallel queries, so queries must not run in parallel. */
  readonly order: "own" | "machine";
  /** Empties all tables, including Tandem's, and adds the world's projects and one user, Mona. */
  prepare(): Promise<void>;
  tasks(): Promise<readonly AppTask[]>;
  comments(): Promise<readonly AppComment[]>;
  users(): Promise<readonly AppUser[]>;
  addUser(name: string, login: string): Promise<void>;
  editUser(id: string, edit: Partial<Omit<AppUser, "id">>): Promise<void>;
  addTask(
    task: Pick<AppTask, "projectId" | "title" | "labels"> & { readonly ownerId: string },
  ): Promise<string>;
  editTask(id: string, edit: TaskEdit): Promise<void>;
  /** Deletes the row and its comments. */
  deleteTask(id: string): Promise<void>;
  addComment(taskId: string, markdown: string, authorId: string): Promise<string>;
  editComment(id: string, markdown: string): Promise<void>;
  /** Moves a comment to another task. */
  moveComment(id: string, taskId: string): Promise<void>;
  deleteComment(id: string): Promise<void>;
}
