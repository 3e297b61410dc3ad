/** Converts an issue or comment, from a webhook or a response, to an observation. */
import { type Actor, canonical, type Json } from "../../model/content.ts";
import type { Observation, ResourceRef } from "../../model/observation.ts";
import { webAddress } from "../../model/web-address.ts";
import { takeAttribution } from "./attribution.ts";
import { type CommentPayload, type IssuePayload, nameOfLabel } from "./transport/index.ts";
import { ISSUE, ISSUE_COMMENT } from "./resources.ts";
import { takeToken } from "./token.ts";

/** Reads an issue. Fields that the payload lacks are left out of the content. */
export function observeIssue(issue: IssuePayload): Observation {
  const { body, token } = readBody(issue.body);
  const author = readActor(issue.user);
  const content: Record<string, Json | undefined> = {
    title: issue.title,
    body,
    state: issue.state,
    state_reason: issue.state_reason,
    labels: issue.labels?.map(nameOfLabel),
    assignees: issue.assignees?.flatMap((user) => (user === null ? [] : [user.login])),
    // A deleted author was not observed, so the record keeps the author that it has.
    author: author === null ? undefined : { ...author },
  };
  return {
    ...issueRef(issue.number),
    action: "upsert",
    updatedAt: issue.updated_at,
    content: canonical(seen(content), ISSUE.fields),
    display: { number: issue.number, ...shownAt(issue.html_url) },
    parent: null,
    token,
    author,
    ...(issue.created_at === undefined ? {} : { createdAt: issue.created_at }),
  };
}

/** Reads a comment of the issue with the given number. */
export function observeComment(comment: CommentPayload, issueNumber: string): Observation {
  const { body, token } = readBody(comment.body);
  const author = readActor(comment.user);
  const content = { body, author: author === null ? undefined : { ...author } };
  return {
    type: ISSUE_COMMENT.type,
    externalId: comment.id,
    action: "upsert",
    updatedAt: comment.updated_at,
    content: canonical(seen(content), ISSUE_COMMENT.fields),
    display: shownAt(comment.html_url),
    parent: issueRef(issueNumber),
    token,
    author,
    ...(comment.created_at === undefined ? {} : { createdAt: comment.created_at }),
  };
}

/** The same resource, deleted. GitHub gives the time of the last edit before it. */
export function asDeletion(
  observation: Observation,
  display: Observation["display"] = {},
): Observation {
  return {
    ...observation,
    action: "delete",
    content: null,
    display: { ...observation.display, ...display },
  };
}

/** Keeps an address only if a page may show it as a link. */
function shownAt(address: string): Observation["display"] {
  const url = webAddress(address);
  return url === null ? {} : { url };
}

export function isPullRequest(issue: IssuePayload): boolean {
  return issue.pull_request !== undefined && issue.pull_request !== null;
}

/** Whether a comment belongs to a pull request; only its `html_url` tells. */
export function isOnPullRequest(comment: CommentPayload): boolean {
  return /\/pull\/\d+(?:#|$)/.test(comment.html_url);
}

/** The number of the issue a comment belongs to, or `null` if its address has none. */
export function issueNumberOf(comment: CommentPayload): string | null {
  return /\/issues\/(\d+)$/.exec(comment.issue_url)?.[1] ?? null;
}

export function issueRef(number: string): ResourceRef {
  return { type: ISSUE.type, externalId: number };
}

function readBody(body: string | null | undefined): {
  readonly body: string | undefined;
  readonly token: string | null;
} {
  if (body === undefined) return { body: undefined, token: null };
  const taken = takeToken(body ?? "");
  return { ...taken, body: takeAttribution(taken.body) };
}

function readActor(
  user: { readonly id: string; readonly login: string } | null | undefined,
): Actor | null {
  return user === null || user === undefined ? null : { id: user.id, login: user.login };
}

function seen(fields: Readonly<Record<string, Json | undefined>>): Record<string, Json> {
  const result: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) result[name] = value;
  return result;
}
