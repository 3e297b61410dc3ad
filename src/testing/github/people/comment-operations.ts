/** Operations on a comment, and how each changes the time of its issue. */
import { announceComment } from "../webhooks/index.ts";
import {
  type ActingUser,
  type Comment,
  type Issue,
  notFound,
  type Repository,
  validationFailed,
  type World,
} from "../world/index.ts";
import { characters, MAX_BODY, tooLong } from "./issue-operations.ts";

/** @throws GitHubFailure 422 if the body is blank or too long. */
export function createComment(
  world: World,
  actor: ActingUser,
  repository: Repository,
  issue: Issue,
  body: string,
): Comment {
  checkBody(body);
  const now = world.now();
  const comment: Comment = {
    id: world.ids.take("comment"),
    repositoryId: repository.id,
    issueNumber: issue.number,
    body,
    author: world.user(actor.login).login,
    createdAt: now,
    updatedAt: now,
    viaApp: actor.viaApp,
  };
  world.storeComment(repository, comment);
  const bumped = bump(world, repository, issue, 1);
  announceComment(world, actor, "created", repository, bumped, comment);
  return comment;
}

/**
 * An edit also sets the issue's time: recorded `edited` payloads show the issue with the time of the edit.
 *
 * @throws GitHubFailure 422 if the body is blank or too long.
 */
export function editComment(
  world: World,
  actor: ActingUser,
  repository: Repository,
  before: Comment,
  body: string,
): Comment {
  checkBody(body);
  if (before.body === body) return before;
  const after: Comment = { ...before, body, updatedAt: world.now() };
  world.storeComment(repository, after);
  const bumped = bump(world, repository, issueOf(world, repository, before), 0);
  announceComment(world, actor, "edited", repository, bumped, after, {
    changes: { body: { from: before.body } },
  });
  return after;
}

/** The webhook contains the comment with the time of its last edit. */
export function deleteComment(
  world: World,
  actor: ActingUser,
  repository: Repository,
  comment: Comment,
): void {
  world.forgetComment(repository, comment);
  const bumped = bump(world, repository, issueOf(world, repository, comment), -1);
  announceComment(world, actor, "deleted", repository, bumped, comment);
}

function bump(world: World, repository: Repository, issue: Issue, comments: number): Issue {
  const after: Issue = {
    ...issue,
    comments: issue.comments + comments,
    updatedAt: world.now(),
  };
  world.storeIssue(repository, issue.number, { kind: "issue", issue: after });
  return after;
}

function issueOf(world: World, repository: Repository, comment: Comment): Issue {
  const slot = repository.issues.get(comment.issueNumber);
  if (slot?.kind !== "issue") throw notFound();
  return slot.issue;
}

function checkBody(body: string): void {
  if (body.trim() === "") {
    throw validationFailed({ resource: "IssueComment", field: "body", code: "missing_field" });
  }
  if (characters(body) > MAX_BODY) {
    throw validationFailed(tooLong("IssueComment", "body", MAX_BODY));
  }
}
