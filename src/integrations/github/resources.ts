/** The fields and rules of GitHub's issues and issue comments, as declarations for Tandem's planning. */
import { type Actor, canonical, type Content, type FieldSpecs } from "../../model/content.ts";
import { SECOND } from "../../model/instant.ts";
import type { ResourceType } from "../../model/observation.ts";
import { putAttribution } from "./attribution.ts";
import { BODY_LIMIT, hasRoomForToken } from "./token.ts";

/**
 * The fields of a GitHub issue, as mappings see them.
 *
 * @example
 * const toStatus = (state: GitHubIssue["state"]) => (state === "closed" ? "done" : "todo");
 */
export interface GitHubIssue {
  readonly title: string;
  /** Markdown; an issue without a body has an empty one. */
  readonly body: string;
  readonly state: "open" | "closed";
  /** `null` while the issue was never closed. Servers older than 3.6 do not report it. */
  readonly state_reason: "completed" | "not_planned" | "duplicate" | "reopened" | null;
  /** Label names. */
  readonly labels: readonly string[];
  /** Logins. GitHub drops users who may not be assigned, and its response shows the others. */
  readonly assignees: readonly string[];
  /** The user who opened it. Never written. */
  readonly author: Actor;
}

/**
 * The fields of a comment on a GitHub issue, as mappings see them.
 *
 * @example
 * const toExcerpt = (body: GitHubIssueComment["body"]) => body.slice(0, 80);
 */
export interface GitHubIssueComment {
  /** Markdown. */
  readonly body: string;
  /** The user who wrote it. Never written. */
  readonly author: Actor;
}

/** Resource types by name, with the type of their fields. */
export interface GitHubResources {
  readonly issue: GitHubIssue;
  readonly issue_comment: GitHubIssueComment;
}

/** An issue, identified by its number within the repository. */
export const ISSUE = {
  type: "issue",
  relation: "github_issues",
  fields: {
    title: { kind: "line", writable: true },
    body: { kind: "text", writable: true },
    // GitHub opens every issue with the state `open`; closing it is a second request.
    state: { kind: "value", writable: true, settableOnCreate: false, createdAs: "open" },
    state_reason: { kind: "value", writable: true, settableOnCreate: false },
    labels: { kind: "set", writable: true },
    assignees: { kind: "set", writable: true },
    author: { kind: "actor", writable: false },
  },
  parent: null,
  carriesToken: bodyHasRoom,
  attribute: attributeBody,
  // The REST API cannot delete an issue.
  removal: ["close"],
  closedBy: { state: "closed", state_reason: "not_planned" },
  versions: "seconds",
  resolution: SECOND,
} as const satisfies ResourceType;

/** A comment on an issue, identified by its own id. Comments on pull requests are not included. */
export const ISSUE_COMMENT = {
  type: "issue_comment",
  relation: "github_issue_comments",
  fields: {
    body: { kind: "text", writable: true },
    author: { kind: "actor", writable: false },
  },
  parent: "issue",
  carriesToken: bodyHasRoom,
  attribute: attributeBody,
  removal: ["delete"],
  closedBy: {},
  versions: "seconds",
  resolution: SECOND,
} as const satisfies ResourceType;

export const RESOURCES: readonly ResourceType[] = [ISSUE, ISSUE_COMMENT];

/** The values that GitHub accepts from us, canonical. Read-only fields are left out. */
export function writableValues(values: Content, specs: FieldSpecs): Content {
  const writable = Object.entries(specs).filter(([, spec]) => spec.writable);
  return canonical(values, Object.fromEntries(writable));
}

/** Values without a body leave the whole limit to the token. */
function bodyHasRoom({ body }: Content, token: string): boolean {
  return hasRoomForToken(typeof body === "string" ? body : "", token);
}

/** Puts the attribution above the body. Values without a body contain nothing that needs an author. */
function attributeBody(values: Content, line: string, token: string | null): Content {
  const { body } = values;
  if (typeof body !== "string") return values;
  const attributed = putAttribution(body, line);
  const fits =
    token === null ? attributed.length <= BODY_LIMIT : hasRoomForToken(attributed, token);
  return fits ? { ...values, body: attributed } : values;
}
