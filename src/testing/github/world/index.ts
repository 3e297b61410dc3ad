/**
 * The state of the simulated GitHub: repositories, issues, comments and people, and their JSON.
 *
 * 1. Nothing here sends a webhook or answers a request.
 * 2. JSON has the shape of GitHub's published schemas.
 */
export {
  type FieldError,
  GitHubFailure,
  invalidRequest,
  moved,
  notFound,
  validationFailed,
} from "./failures.ts";
export {
  alphanumericToken,
  type Id,
  type IdKind,
  nodeId,
  randomGuid,
  type WireJson,
  type WireJsonObject,
  writeJson,
} from "./identifiers.ts";
export {
  representFullRepository,
  representPullRequest,
  representRepository,
  representRepositoryName,
} from "./represent-repository.ts";
export {
  issueUrl,
  PERMISSIONS,
  repositoryUrl,
  representApp,
  representComment,
  representInstallation,
  representIssue,
  representIssueAnswer,
  representLabel,
  representOrganization,
  representProfile,
  representUser,
  timeText,
} from "./represent.ts";
export type {
  ActingUser,
  App,
  Comment,
  Installation,
  Issue,
  LockReason,
  PullRequest,
  Repository,
  RepositoryRef,
  StateReason,
  User,
} from "./state.ts";
export {
  covers,
  fullNameOf,
  type Happening,
  type RepositoryInput,
  type UserInput,
  World,
} from "./world.ts";
