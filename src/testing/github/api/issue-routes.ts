/** Routes of issues: list, read, write, labels, assignees, lock; and read-only routes of pull requests. */
import { SECOND, truncateInstant } from "../../../model/instant.ts";
import {
  GitHubFailure,
  invalidRequest,
  type Issue,
  issueUrl,
  type LockReason,
  notFound,
  type Repository,
  representIssueAnswer,
  representLabel,
  representPullRequest,
  representUser,
  type StateReason,
  type WireJson,
} from "../world/index.ts";
import { isAssignable, type IssuePatch, openIssue, setLock, updateIssue } from "../people/index.ts";
import { actorOf, checkEditable, checkNotBlocked, checkPush, mayPush } from "./access.ts";
import {
  type RouteAnswer,
  bodyOf,
  type Call,
  choiceField,
  created,
  namesField,
  NO_CONTENT,
  nullableTextField,
  numberOf,
  ok,
  repositoryOf,
  textField,
} from "./call.ts";
import { answerPage, choiceOf, sinceOf, sortBy } from "./pages.ts";

const STATE_REASONS: readonly StateReason[] = ["completed", "not_planned", "duplicate", "reopened"];
const LOCK_REASONS: readonly LockReason[] = ["off-topic", "too heated", "resolved", "spam"];

export function listIssues(call: Call): RouteAnswer {
  const repository = repositoryOf(call, "read");
  if (!repository.hasIssues) throw new GitHubFailure(410, "Issues are disabled for this repo");
  const { query } = call.request;
  const state = choiceOf(call, "state", ["open", "closed", "all"], "open");
  const sort = choiceOf(call, "sort", ["created", "updated", "comments"], "created");
  const direction = choiceOf(call, "direction", ["asc", "desc"], "desc");
  const since = sinceOf(call);
  const creator = query.get("creator");
  const assignee = query.get("assignee");
  const labels = (query.get("labels") ?? "").split(",").filter((name) => name !== "");
  const found = call.world
    .issues(repository, call.asOf)
    .filter((issue) => state === "all" || issue.state === state)
    .filter((issue) => since === null || issue.updatedAt >= truncateInstant(since, SECOND))
    .filter((issue) => creator === null || issue.author.toLowerCase() === creator.toLowerCase())
    .filter((issue) => assignee === null || isAssignedTo(issue, assignee))
    .filter((issue) => labels.every((name) => issue.labels.includes(name)));
  const key = (issue: Issue): number =>
    sort === "comments" ? issue.comments : sort === "updated" ? issue.updatedAt : issue.createdAt;
  return answerPage(call, sortBy(found, key, direction), (issue) =>
    representIssueAnswer(call.world, repository, issue),
  );
}

export function createIssue(call: Call): RouteAnswer {
  const repository = repositoryOf(call, "write");
  if (!repository.hasIssues)
    throw new GitHubFailure(410, "Issues has been disabled in this repository.");
  const body = bodyOf(call);
  const title = textField(body, "title");
  if (title === undefined) throw invalidRequest('"title" wasn\'t supplied.');
  checkNotBlocked(call.caller, repository, "Issue");
  const pushes = mayPush(call.caller);
  const [labels, assignees] = [namesField(body, "labels") ?? [], assigneesField(call) ?? []];
  const issue = openIssue(call.world, actorOf(call.caller), repository, {
    title,
    body: nullableTextField(body, "body") ?? null,
    // Dropped without an error, as the API's reference says.
    labels: pushes ? labels : [],
    assignees: pushes ? assignees : [],
  });
  return created(
    representIssueAnswer(call.world, repository, issue),
    issueUrl(call.world, repository, issue.number),
  );
}

export function readIssue(call: Call): RouteAnswer {
  const { repository, issue } = issueOf(call, "read");
  return ok(representIssueAnswer(call.world, repository, issue), lastModified(issue));
}

export function patchIssue(call: Call): RouteAnswer {
  const { repository, issue } = issueOf(call, "write");
  checkEditable(call.caller, issue);
  const body = bodyOf(call);
  const title = textField(body, "title");
  const text = nullableTextField(body, "body");
  const state = choiceField(body, "state", ["open", "closed"]);
  const labels = namesField(body, "labels");
  const assignees = assigneesField(call);
  const patch: IssuePatch = {
    ...(title === undefined ? {} : { title }),
    ...(text === undefined ? {} : { body: text }),
    ...(state === undefined ? {} : { state }),
    stateReason: choiceField(body, "state_reason", STATE_REASONS) ?? null,
    ...(labels === undefined || !mayPush(call.caller) ? {} : { labels }),
    ...(assignees === undefined || !mayPush(call.caller) ? {} : { assignees }),
  };
  const after = updateIssue(call.world, actorOf(call.caller), repository, issue, patch);
  return ok(representIssueAnswer(call.world, repository, after));
}

export function listIssueLabels(call: Call): RouteAnswer {
  const { repository, issue } = issueOf(call, "read");
  return answerPage(call, issue.labels, (name) => labelOf(call, repository, name));
}

export function addIssueLabels(call: Call): RouteAnswer {
  return changeLabels(call, (before) => [...before, ...labelsOf(call)]);
}

export function setIssueLabels(call: Call): RouteAnswer {
  return changeLabels(call, () => labelsOf(call));
}

export function removeIssueLabels(call: Call): RouteAnswer {
  changeLabels(call, () => []);
  return NO_CONTENT;
}

export function removeIssueLabel(call: Call): RouteAnswer {
  const name = (call.params.name ?? "").toLowerCase();
  return changeLabels(call, (before) => {
    const after = before.filter((entry) => entry.toLowerCase() !== name);
    if (after.length === before.length) throw new GitHubFailure(404, "Label does not exist");
    return after;
  });
}

/** Users who cannot be assigned are skipped, as GitHub does on this route. */
export function addAssignees(call: Call): RouteAnswer {
  const wanted = (assigneesField(call) ?? []).filter((login) => isAssignable(call.world, login));
  const { repository, issue } = issueOf(call, "write");
  checkPush(call.caller);
  const assignees = [...issue.assignees, ...wanted];
  const after = updateIssue(call.world, actorOf(call.caller), repository, issue, { assignees });
  return { status: 201, body: representIssueAnswer(call.world, repository, after) };
}

export function removeAssignees(call: Call): RouteAnswer {
  const gone = (assigneesField(call) ?? []).map((login) => login.toLowerCase());
  const { repository, issue } = issueOf(call, "write");
  checkPush(call.caller);
  const assignees = issue.assignees.filter((login) => !gone.includes(login.toLowerCase()));
  const after = updateIssue(call.world, actorOf(call.caller), repository, issue, { assignees });
  return ok(representIssueAnswer(call.world, repository, after));
}

export function lockIssue(call: Call): RouteAnswer {
  const { repository, issue } = issueOf(call, "write");
  checkPush(call.caller);
  const reason = choiceField(bodyOf(call), "lock_reason", LOCK_REASONS) ?? null;
  setLock(call.world, actorOf(call.caller), repository, issue, { reason });
  return NO_CONTENT;
}

export function unlockIssue(call: Call): RouteAnswer {
  const { repository, issue } = issueOf(call, "write");
  checkPush(call.caller);
  setLock(call.world, actorOf(call.caller), repository, issue, null);
  return NO_CONTENT;
}

export function readPullRequest(call: Call): RouteAnswer {
  const { repository, issue } = issueOf(call, "read");
  if (issue.pullRequest === null) throw notFound();
  const body = representPullRequest(call.world, repository, issue, issue.pullRequest);
  return ok(body, lastModified(issue));
}

export function listAssignees(call: Call): RouteAnswer {
  const repository = repositoryOf(call, "read");
  const users = call.world.users().filter((user) => isAssignable(call.world, user.login));
  const members = users.filter(
    ({ login }) => login === repository.owner || repository.collaborators.has(login),
  );
  return answerPage(call, members, (user) => representUser(call.world, user.login));
}

export function listLabels(call: Call): RouteAnswer {
  const repository = repositoryOf(call, "read");
  return answerPage(call, [...repository.labels.values()], (label) =>
    representLabel(call.world, repository, label),
  );
}

/** @throws GitHubFailure 404, 410, 301. */
export function issueOf(
  call: Call,
  purpose: "read" | "write",
): { readonly repository: Repository; readonly issue: Issue } {
  const repository = repositoryOf(call, purpose);
  const asOf = purpose === "read" ? call.asOf : null;
  const issue = call.world.issue(repository, numberOf(call, "number"), asOf);
  return { repository, issue };
}

export function lastModified(thing: { readonly updatedAt: number }): Record<string, string> {
  return { "last-modified": new Date(thing.updatedAt / 1_000).toUTCString() };
}

function changeLabels(call: Call, change: (before: readonly string[]) => string[]): RouteAnswer {
  const { repository, issue } = issueOf(call, "write");
  checkPush(call.caller);
  const labels = change(issue.labels);
  const after = updateIssue(call.world, actorOf(call.caller), repository, issue, { labels });
  return ok(after.labels.map((name) => labelOf(call, repository, name)));
}

function labelOf(call: Call, repository: Repository, name: string): WireJson {
  return representLabel(call.world, repository, call.world.label(repository, name));
}

/** The body is `{ "labels": [...] }`, or the bare array. */
function labelsOf(call: Call): string[] {
  const bare = call.request.body.trimStart().startsWith("[");
  const text = bare ? `{"labels":${call.request.body}}` : call.request.body;
  return namesField(bodyOf({ ...call, request: { ...call.request, body: text } }), "labels") ?? [];
}

function assigneesField(call: Call): string[] | undefined {
  const body = bodyOf(call);
  const several = namesField(body, "assignees");
  if (several !== undefined || body.assignee === undefined) return several;
  const one = nullableTextField(body, "assignee");
  return one === null || one === undefined || one === "" ? [] : [one];
}

function isAssignedTo(issue: Issue, assignee: string): boolean {
  if (assignee === "none") return issue.assignees.length === 0;
  if (assignee === "*") return issue.assignees.length > 0;
  return issue.assignees.some((login) => login.toLowerCase() === assignee.toLowerCase());
}
