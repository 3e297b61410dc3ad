/** The GitHub simulator's exports for tests, demos and `tandem simulate github`. */
export type { TokenInput, WriteLimit } from "./api/index.ts";
export type {
  ApiFaults,
  Applied,
  Faults,
  Hold,
  Millis,
  RequestEntry,
  RequestFilter,
  ScriptedFault,
  WebhookFaults,
} from "./faults/index.ts";
export type { Listening, ListenOptions } from "./transport.ts";
export type { RequestMatch } from "./exchange.ts";
export {
  type App,
  type Comment,
  GitHubFailure,
  type Happening,
  type Id,
  type IdKind,
  type Installation,
  type Issue,
  type RepositoryInput,
  type RepositoryRef,
  type User,
  type UserInput,
} from "./world/index.ts";
export type { Delivery, DeliveryState, Hook, HookInput } from "./webhooks/index.ts";
export type { IssueInput, IssuePatch, Person, PullRequestInput } from "./people/index.ts";
export {
  createGitHubSimulator,
  type GitHubSimulator,
  type RepositoryState,
  type SimulatorOptions,
} from "./simulator.ts";
