/** Operations on an issue, by a person or through the API: GitHub's rules, times and webhooks. */
import type { Instant } from "../../../model/instant.ts";
import {
  announceAssignee,
  announceIssue,
  announceLabel,
  announceTransfer,
} from "../webhooks/index.ts";
import {
  type ActingUser,
  type FieldError,
  type Issue,
  type LockReason,
  type PullRequest,
  type Repository,
  type StateReason,
  validationFailed,
  type WireJsonObject,
  type World,
} from "../world/index.ts";

export const MAX_BODY = 65_536;
export const MAX_TITLE = 256;

export interface IssueInput {
  readonly title: string;
  readonly body?: string | null;
  readonly labels?: readonly string[];
  readonly assignees?: readonly string[];
}

export interface PullRequestInput extends IssueInput {
  readonly draft?: boolean;
  readonly head?: string;
  readonly base?: string;
}

/** Absent fields stay unchanged. */
export interface IssuePatch {
  readonly title?: string;
  readonly body?: string | null;
  readonly state?: "open" | "closed";
  readonly stateReason?: StateReason | null;
  readonly labels?: readonly string[];
  readonly assignees?: readonly string[];
}

/** @throws GitHubFailure 422 for a title or body that GitHub would refuse, or for unknown assignees. */
export function openIssue(
  world: World,
  actor: ActingUser,
  repository: Repository,
  input: IssueInput,
  pullRequest: PullRequest | null = null,
): Issue {
  checkText(input);
  checkAssignees(world, input.assignees ?? []);
  const number = repository.nextNumber++;
  const now = world.now();
  const issue: Issue = {
    id: world.ids.take("issue"),
    repositoryId: repository.id,
    number,
    title: input.title,
    body: input.body ?? null,
    state: "open",
    stateReason: null,
    author: world.user(actor.login).login,
    labels: labelNames(world, repository, input.labels ?? []),
    assignees: knownLogins(world, input.assignees ?? []),
    locked: false,
    lockReason: null,
    pinned: false,
    comments: 0,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedBy: null,
    viaApp: actor.viaApp,
    pullRequest,
  };
  world.storeIssue(repository, number, { kind: "issue", issue });
  announceIssue(world, actor, "opened", repository, issue);
  for (const name of issue.labels) announceLabel(world, actor, "labeled", repository, issue, name);
  for (const login of issue.assignees) {
    announceAssignee(world, actor, "assigned", repository, issue, login);
  }
  return issue;
}

export function openPullRequest(
  world: World,
  actor: ActingUser,
  repository: Repository,
  input: PullRequestInput,
): Issue {
  return openIssue(world, actor, repository, input, {
    id: world.ids.take("pull_request"),
    draft: input.draft ?? false,
    head: input.head ?? "feature",
    base: input.base ?? "main",
    mergedAt: null,
  });
}

/** Converts an issue to a pull request: it keeps its number, and its `issues` webhooks end. */
export function convertToPullRequest(
  world: World,
  actor: ActingUser,
  repository: Repository,
  before: Issue,
  { head = "feature", base = "main" }: Pick<PullRequestInput, "head" | "base"> = {},
): Issue {
  const id = world.ids.take("pull_request");
  const pullRequest: PullRequest = { id, draft: false, head, base, mergedAt: null };
  const after: Issue = { ...before, pullRequest, updatedAt: world.now() };
  world.storeIssue(repository, after.number, { kind: "issue", issue: after });
  announceIssue(world, actor, "opened", repository, after);
  return after;
}

/**
 * Changes an issue and announces each change. If nothing differs, its time stays and no webhook is sent.
 *
 * @throws GitHubFailure 422.
 */
export function updateIssue(
  world: World,
  actor: ActingUser,
  repository: Repository,
  before: Issue,
  patch: IssuePatch,
): Issue {
  checkText(patch);
  if (patch.assignees !== undefined) checkAssignees(world, patch.assignees);
  const now = world.now();
  const after: Issue = {
    ...before,
    title: patch.title ?? before.title,
    body: patch.body === undefined ? before.body : patch.body,
    labels:
      patch.labels === undefined ? before.labels : labelNames(world, repository, patch.labels),
    assignees:
      patch.assignees === undefined ? before.assignees : knownLogins(world, patch.assignees),
    ...stateAfter(actor, before, patch, now),
    updatedAt: now,
  };
  if (sameContent(before, after)) return before;
  world.storeIssue(repository, after.number, { kind: "issue", issue: after });
  announceDifferences(world, actor, repository, before, after);
  return after;
}

/** Locks the conversation, or unlocks it with `null`. */
export function setLock(
  world: World,
  actor: ActingUser,
  repository: Repository,
  before: Issue,
  lock: { readonly reason: LockReason | null } | null,
): Issue {
  if (before.locked === (lock !== null) && before.lockReason === (lock?.reason ?? null)) {
    return before;
  }
  const after: Issue = {
    ...before,
    locked: lock !== null,
    lockReason: lock?.reason ?? null,
    updatedAt: world.now(),
  };
  world.storeIssue(repository, after.number, { kind: "issue", issue: after });
  announceIssue(world, actor, lock === null ? "unlocked" : "locked", repository, after);
  return after;
}

/** Pins or unpins an issue. Its time stays: recorded payloads contain the time before. */
export function setPinned(
  world: World,
  actor: ActingUser,
  repository: Repository,
  before: Issue,
  pinned: boolean,
): Issue {
  if (before.pinned === pinned) return before;
  const after: Issue = { ...before, pinned };
  world.storeIssue(repository, after.number, { kind: "issue", issue: after });
  announceIssue(world, actor, pinned ? "pinned" : "unpinned", repository, after);
  return after;
}

/** Deletes an issue and its comments. The webhook contains the time of the change before. */
export function deleteIssue(
  world: World,
  actor: ActingUser,
  repository: Repository,
  issue: Issue,
): void {
  world.storeIssue(repository, issue.number, { kind: "deleted" });
  forgetComments(world, repository, issue);
  announceIssue(world, actor, "deleted", repository, issue);
}

/** Transfers an issue, which gets a new id and number, and its comments, which get new ids. */
export function transferIssue(
  world: World,
  actor: ActingUser,
  from: Repository,
  issue: Issue,
  to: Repository,
): Issue {
  const number = to.nextNumber++;
  const now = world.now();
  const moved: Issue = {
    ...issue,
    id: world.ids.take("issue"),
    repositoryId: to.id,
    number,
    labels: issue.labels.filter((name) => to.labels.has(name.toLowerCase())),
    pinned: false,
    updatedAt: now,
  };
  const comments = world.comments(from).filter((comment) => comment.issueNumber === issue.number);
  world.storeIssue(to, number, { kind: "issue", issue: moved });
  world.storeIssue(from, issue.number, { kind: "transferred", repositoryId: to.id, number });
  for (const comment of comments) {
    const id = world.ids.take("comment");
    world.storeComment(to, { ...comment, id, repositoryId: to.id, issueNumber: number });
  }
  forgetComments(world, from, issue);
  const left: Issue = { ...issue, updatedAt: now };
  announceTransfer(
    world,
    actor,
    { repository: from, issue: left },
    { repository: to, issue: moved },
  );
  return moved;
}

/** @throws GitHubFailure 422. */
export function checkText(input: { readonly title?: string; readonly body?: string | null }): void {
  const errors: FieldError[] = [];
  if (input.title?.trim() === "") {
    errors.push({ resource: "Issue", field: "title", code: "missing_field" });
  }
  if (input.title !== undefined && characters(input.title) > MAX_TITLE) {
    errors.push(tooLong("Issue", "title", MAX_TITLE));
  }
  if (typeof input.body === "string" && characters(input.body) > MAX_BODY) {
    errors.push(tooLong("Issue", "body", MAX_BODY));
  }
  if (errors.length > 0) throw validationFailed(...errors);
}

export function tooLong(resource: string, field: string, limit: number): FieldError {
  const message = `${field} is too long (maximum is ${String(limit)} characters)`;
  return { resource, field, code: "custom", message };
}

/** GitHub counts code points, so an emoji counts as one. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Only known people and bots can be assigned. */
export function isAssignable(world: World, login: string): boolean {
  const user = world.findUser(login);
  return user !== undefined && user.type !== "Organization";
}

function checkAssignees(world: World, logins: readonly string[]): void {
  const unknown = logins.filter((login) => !isAssignable(world, login));
  if (unknown.length === 0) return;
  throw validationFailed(
    ...unknown.map((value): FieldError => ({
      resource: "Issue",
      field: "assignees",
      code: "invalid",
      value,
    })),
  );
}

function knownLogins(world: World, logins: readonly string[]): string[] {
  return [...new Set(logins.map((login) => world.user(login).login))];
}

function labelNames(world: World, repository: Repository, names: readonly string[]): string[] {
  return [...new Set(names.map((name) => world.label(repository, name).name))];
}

function forgetComments(world: World, repository: Repository, issue: Issue): void {
  for (const comment of world.comments(repository)) {
    if (comment.issueNumber === issue.number) world.forgetComment(repository, comment);
  }
}

type StateFields = Pick<Issue, "state" | "stateReason" | "closedAt" | "closedBy">;

function stateAfter(
  actor: ActingUser,
  before: Issue,
  patch: IssuePatch,
  now: Instant,
): StateFields {
  const { state, stateReason, closedAt, closedBy } = before;
  const wanted = patch.state ?? state;
  if (wanted === "closed" && state === "open") {
    const reason = patch.stateReason ?? "completed";
    return { state: wanted, stateReason: reason, closedAt: now, closedBy: actor.login };
  }
  if (wanted === "open" && state === "closed") {
    return { state: wanted, stateReason: "reopened", closedAt: null, closedBy: null };
  }
  const reason = wanted === "closed" ? (patch.stateReason ?? stateReason) : stateReason;
  return { state, stateReason: reason, closedAt, closedBy };
}

function sameContent(before: Issue, after: Issue): boolean {
  return (
    before.title === after.title &&
    before.body === after.body &&
    before.state === after.state &&
    before.stateReason === after.stateReason &&
    sameSet(before.labels, after.labels) &&
    sameSet(before.assignees, after.assignees)
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry) => b.includes(entry));
}

function announceDifferences(
  world: World,
  actor: ActingUser,
  repository: Repository,
  before: Issue,
  after: Issue,
): void {
  const changes: Record<string, WireJsonObject> = {};
  if (before.title !== after.title) changes.title = { from: before.title };
  if (before.body !== after.body) changes.body = { from: before.body ?? "" };
  if (Object.keys(changes).length > 0) {
    announceIssue(world, actor, "edited", repository, after, { changes });
  }
  for (const name of missingFrom(before.labels, after.labels)) {
    announceLabel(world, actor, "unlabeled", repository, after, name);
  }
  for (const name of missingFrom(after.labels, before.labels)) {
    announceLabel(world, actor, "labeled", repository, after, name);
  }
  for (const login of missingFrom(before.assignees, after.assignees)) {
    announceAssignee(world, actor, "unassigned", repository, after, login);
  }
  for (const login of missingFrom(after.assignees, before.assignees)) {
    announceAssignee(world, actor, "assigned", repository, after, login);
  }
  if (before.state !== after.state) {
    const action = after.state === "closed" ? "closed" : "reopened";
    announceIssue(world, actor, action, repository, after);
  }
}

function missingFrom(these: readonly string[], those: readonly string[]): string[] {
  return these.filter((entry) => !those.includes(entry));
}
