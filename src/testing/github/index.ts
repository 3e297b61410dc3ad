/** The GitHub simulator's exports for tests, demos and `tandem simulate github`. */
export type { TokenInput } from "./api/access.ts";
export type { WriteLimit } from "./api/rate-limits.ts";
export type { RequestMatch } from "./exchange.ts";
export { GitHubFailure } from "./failures.ts";
export type { ApiFaults, Applied, Faults, Millis, ScriptedFault, WebhookFaults } from "./faults.ts";
export type { Hold } from "./hold.ts";
export type { Hook } from "./hook.ts";
export type { Id, IdKind } from "./identifiers.ts";
export type { IssueInput, IssuePatch, PullRequestInput } from "./issue-operations.ts";
export type { Person } from "./person.ts";
export type { RequestEntry, RequestFilter } from "./request-log.ts";
export {
  createGitHubSimulator,
  type GitHubSimulator,
  type RepositoryState,
  type SimulatorOptions,
} from "./simulator.ts";
export type { App, Comment, Installation, Issue, RepositoryRef, User } from "./state.ts";
export type { Listening, ListenOptions } from "./transport.ts";
export type { Delivery, DeliveryState, HookInput } from "./webhooks.ts";
export type { Happening, RepositoryInput, UserInput } from "./world.ts";
