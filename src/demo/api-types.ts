/**
 * What the demo's own routes answer, as JSON: the two panes and the trouble buttons. The ledger
 * between them comes from Tandem's API.
 */
import type { Task, TaskStatus, User } from "./sample-app.ts";

export type { Task, TaskStatus, User } from "./sample-app.ts";

export interface DemoIssueComment {
  readonly id: string;
  /** As GitHub shows it: hidden comments are left out. */
  readonly body: string;
  readonly author: string;
}

export interface DemoIssue {
  readonly number: number;
  readonly title: string;
  /** As GitHub shows it: hidden comments are left out. */
  readonly body: string;
  readonly state: "open" | "closed";
  readonly author: string;
  /** `null` with the real GitHub: only Tandem's cached copy is shown. */
  readonly updated_at: string | null;
  readonly url: string;
  readonly comments: readonly DemoIssueComment[];
}

/** A task and the issue that Tandem paired it with. */
export interface DemoPair {
  readonly task: string;
  readonly issue: number;
  /** One of them was deleted: from then on each goes its own way. */
  readonly ended: boolean;
}

export type TroubleId =
  | "drop-webhooks"
  | "duplicate-webhooks"
  | "reorder-webhooks"
  | "api-down"
  | "rate-limit"
  | "two-edits-in-one-second"
  | "edit-both-sides"
  | "lost-answer"
  | "kill-worker"
  | "restart-worker"
  | "poll-now";

/** One button of the trouble bar. */
export interface DemoTrouble {
  readonly id: TroubleId;
  readonly group: "webhooks" | "api" | "edits" | "worker";
  readonly label: string;
  /** What it does, and what to watch. */
  readonly explanation: string;
  readonly kind: "toggle" | "action";
  /** Of a toggle: whether it is on. Of an action: whether it is under way. */
  readonly on: boolean;
  readonly disabled: boolean;
  /** When it ends by itself. */
  readonly until: string | null;
}

/** `GET /demo/state`, and each `state` event of `GET /demo/stream`. */
export interface DemoState {
  readonly mode: "simulator" | "github";
  readonly repository: string;
  readonly repository_url: string;
  readonly statuses: readonly TaskStatus[];
  readonly users: readonly User[];
  readonly tasks: readonly Task[];
  readonly issues: readonly DemoIssue[];
  readonly pairs: readonly DemoPair[];
  readonly troubles: readonly DemoTrouble[];
  readonly worker: "running" | "killed";
}
