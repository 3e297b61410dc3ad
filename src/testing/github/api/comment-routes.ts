/** Routes of issue comments. */
import { SECOND, truncateInstant } from "../../../model/instant.ts";
import { createComment, deleteComment, editComment } from "../people/index.ts";
import {
  type Comment,
  invalidRequest,
  type Repository,
  repositoryUrl,
  representComment,
} from "../world/index.ts";
import { actorOf, checkEditable, checkNotBlocked } from "./access.ts";
import {
  type RouteAnswer,
  bodyOf,
  type Call,
  created,
  NO_CONTENT,
  ok,
  repositoryOf,
  textField,
} from "./call.ts";
import { issueOf, lastModified } from "./issue-routes.ts";
import { answerPage, choiceOf, sinceOf, sortBy } from "./pages.ts";

export function listRepositoryComments(call: Call): RouteAnswer {
  const repository = repositoryOf(call, "read");
  const sort = choiceOf(call, "sort", ["created", "updated"], "created");
  const direction = choiceOf(call, "direction", ["asc", "desc"], "asc");
  const found = commentsSince(call, repository);
  const key = (comment: Comment): number =>
    sort === "updated" ? comment.updatedAt : comment.createdAt;
  return answerPage(call, sortBy(found, key, direction), (comment) =>
    representComment(call.world, repository, comment),
  );
}

export function listIssueComments(call: Call): RouteAnswer {
  const { repository, issue } = issueOf(call, "read");
  const found = commentsSince(call, repository).filter(
    (comment) => comment.issueNumber === issue.number,
  );
  return answerPage(call, found, (comment) => representComment(call.world, repository, comment));
}

export function createIssueComment(call: Call): RouteAnswer {
  const { repository, issue } = issueOf(call, "write");
  const body = requiredBody(call);
  checkNotBlocked(call.caller, repository, "IssueComment");
  const comment = createComment(call.world, actorOf(call.caller), repository, issue, body);
  const url = `${repositoryUrl(call.world, repository)}/issues/comments/${String(comment.id)}`;
  return created(representComment(call.world, repository, comment), url);
}

export function readComment(call: Call): RouteAnswer {
  const { repository, comment } = commentOf(call, "read");
  return ok(representComment(call.world, repository, comment), lastModified(comment));
}

export function patchComment(call: Call): RouteAnswer {
  const { repository, comment } = commentOf(call, "write");
  checkEditable(call.caller, comment);
  const body = requiredBody(call);
  const after = editComment(call.world, actorOf(call.caller), repository, comment, body);
  return ok(representComment(call.world, repository, after));
}

export function removeComment(call: Call): RouteAnswer {
  const { repository, comment } = commentOf(call, "write");
  checkEditable(call.caller, comment);
  deleteComment(call.world, actorOf(call.caller), repository, comment);
  return NO_CONTENT;
}

function requiredBody(call: Call): string {
  const body = textField(bodyOf(call), "body");
  if (body === undefined) throw invalidRequest('"body" wasn\'t supplied.');
  return body;
}

function commentOf(
  call: Call,
  purpose: "read" | "write",
): { readonly repository: Repository; readonly comment: Comment } {
  const repository = repositoryOf(call, purpose);
  const asOf = purpose === "read" ? call.asOf : null;
  return { repository, comment: call.world.comment(repository, call.params.id ?? "", asOf) };
}

function commentsSince(call: Call, repository: Repository): Comment[] {
  const since = sinceOf(call);
  const from = since === null ? null : truncateInstant(since, SECOND);
  return call.world
    .comments(repository, call.asOf)
    .filter((comment) => from === null || comment.updatedAt >= from);
}
