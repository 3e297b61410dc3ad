/**
 * Operations of people on issues and comments: the API and a test's person call the same ones.
 *
 * 1. An operation changes the world and announces the change.
 */
export { createComment, deleteComment, editComment } from "./comment-operations.ts";
export {
  isAssignable,
  type IssueInput,
  type IssuePatch,
  openIssue,
  type PullRequestInput,
  setLock,
  updateIssue,
} from "./issue-operations.ts";
export { Person } from "./person.ts";
