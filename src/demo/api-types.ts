/**
 * The JSON of the demo's own routes: the two panes and the trouble buttons. The ledger between them
 * comes from Tandem's API.
 */
import type { SampleTask, TaskStatus, SampleUser } from "./sample-app.ts";

export type { SampleTask, TaskStatus, SampleUser } from "./sample-app.ts";

export interface DemoIssueComment {
  readonly id: string;
  /** As GitHub shows it, without hidden comments. */
  readonly body: string;
  readonly author: string;
}

export interface DemoIssue {
  readonly number: number;
  readonly title: string;
  /** As GitHub shows it, without hidden comments. */
  readonly body: string;
  readonly state: "open" | "closed";
  readonly author: string;
  /** `null` with the real GitHub, because only Tandem's cached copy is shown. */
  readonly updated_at: string | null;
  readonly url: string;
  readonly comments: readonly DemoIssueComment[];
}

/** A task and its paired issue. */
export interface DemoPair {
  readonly task: string;
  readonly issue: number;
  /** Whether one of them was deleted, so that the other no longer follows it. */
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
  /** The effect of the button, and what to watch. */
  readonly explanation: string;
  readonly kind: "toggle" | "action";
  /** For a toggle: whether it is on. For an action: whether it is running. */
  readonly on: boolean;
  readonly disabled: boolean;
  /** When it ends automatically. */
  readonly until: string | null;
}

/** `GET /demo/state`, and each `state` event of `GET /demo/stream`. */
export interface DemoState {
  readonly mode: "simulator" | "github";
  readonly repository: string;
  readonly repository_url: string;
  readonly statuses: readonly TaskStatus[];
  readonly users: readonly SampleUser[];
  readonly tasks: readonly SampleTask[];
  readonly issues: readonly DemoIssue[];
  readonly pairs: readonly DemoPair[];
  readonly troubles: readonly DemoTrouble[];
  readonly worker: "running" | "killed";
}
