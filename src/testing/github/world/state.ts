/** The simulator's state: users, repositories, issues, comments, the app. Immutable values. */
import type { Instant } from "../../../model/instant.ts";
import type { Id } from "./identifiers.ts";
import type { VersionedMap } from "./versions.ts";

export interface User {
  readonly id: Id;
  readonly login: string;
  readonly type: "User" | "Bot" | "Organization";
  readonly name: string | null;
  readonly email: string | null;
  readonly createdAt: Instant;
}

export interface Label {
  readonly id: Id;
  readonly name: string;
  readonly color: string;
  readonly description: string | null;
}

/** A repository: the only mutable value here, because reads of it are never stale. */
export interface Repository {
  readonly id: Id;
  owner: string;
  name: string;
  readonly private: boolean;
  readonly description: string | null;
  readonly hasIssues: boolean;
  readonly createdAt: Instant;
  updatedAt: Instant;
  nextNumber: number;
  /** A stored count, because every webhook contains it, and counting each time would be slow. */
  openIssues: number;
  /** Logins of members besides the owner. */
  readonly collaborators: Set<string>;
  /** Logins that the owner has blocked. */
  readonly blocked: Set<string>;
  readonly labels: Map<string, Label>;
  readonly issues: VersionedMap<number, IssueSlot>;
  readonly comments: VersionedMap<string, CommentSlot>;
}

/** Times are whole seconds, as at GitHub. Logins and label names keep their first spelling. */
export interface Issue {
  readonly id: Id;
  readonly repositoryId: Id;
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly state: "open" | "closed";
  readonly stateReason: StateReason | null;
  readonly author: string;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  readonly locked: boolean;
  readonly lockReason: LockReason | null;
  readonly pinned: boolean;
  /** The number of its comments. */
  readonly comments: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly closedAt: Instant | null;
  readonly closedBy: string | null;
  /** Whether the app opened it. */
  readonly viaApp: boolean;
  readonly pullRequest: PullRequest | null;
}

export type StateReason = "completed" | "not_planned" | "duplicate" | "reopened";
export type LockReason = "off-topic" | "too heated" | "resolved" | "spam";

export interface PullRequest {
  /** Not the id of the issue with the same number. */
  readonly id: Id;
  readonly draft: boolean;
  readonly head: string;
  readonly base: string;
  readonly mergedAt: Instant | null;
}

/** The content of an issue number. */
export type IssueSlot =
  | { readonly kind: "issue"; readonly issue: Issue }
  | { readonly kind: "deleted" }
  | { readonly kind: "transferred"; readonly repositoryId: Id; readonly number: number };

export interface Comment {
  readonly id: Id;
  readonly repositoryId: Id;
  readonly issueNumber: number;
  readonly body: string;
  readonly author: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly viaApp: boolean;
}

export type CommentSlot =
  { readonly kind: "comment"; readonly comment: Comment } | { readonly kind: "deleted" };

/** The GitHub App for which installation tokens act. */
export interface App {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly clientId: string;
  readonly owner: string;
  /** PEM. If set, the signature and the issuer of a JWT are verified. */
  readonly publicKey: string | null;
  readonly createdAt: Instant;
}

export interface Installation {
  readonly id: Id;
  readonly account: string;
  /** Full names, or all repositories of the account. */
  repositories: "all" | readonly string[];
  readonly createdAt: Instant;
  suspendedAt: Instant | null;
}

/** The actor of a change: a person on the web pages, a token's login, or the app's bot. */
export interface ActingUser {
  readonly login: string;
  readonly viaApp: boolean;
}

/** `owner/name`, or the numeric id. */
export type RepositoryRef = string | Id;
