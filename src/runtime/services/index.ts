/**
 * The services that every loop of the runtime uses: clients, directory, clock, log, failpoints, and the app's hooks.
 *
 * 1. Nothing here imports another folder of the runtime.
 * 2. Errors are classified by type and status, never by their text.
 * 3. Secrets are opened only when an account's client is opened.
 */
export { createApiClients, type ApiClients, type UserClient } from "./api-clients.ts";
export {
  type Asked,
  type Author,
  type AuthorTokens,
  byAccount,
  writerFor,
} from "./author-writer.ts";
export { batchesOf } from "./batches.ts";
export type {
  Begun,
  BegunWrite,
  Claimed,
  ClaimedLane,
  PatchAnswer,
  ReadEdit,
  ReadStart,
  SeenFirst,
  WaitingEdit,
} from "./claimed.ts";
export { DirectorySnapshot, type Contact } from "./directory-snapshot.ts";
export { type Failpoint, type Failpoints, FAILPOINTS, NO_FAILPOINTS } from "./failpoints.ts";
export {
  classify,
  concernsAll,
  describe,
  isDatabaseTrouble,
  messageOf,
  describeError,
} from "./failures.ts";
export { createMicroBatcher } from "./micro-batch.ts";
export { groupBy, mapBy } from "./grouping.ts";
export {
  type AfterCommitHook,
  type ApplyHook,
  type AuthorHooks,
  type CommittedWrite,
  type HookBook,
  HookError,
  type Hooks,
  isRecordNewer,
  NO_HOOKS,
  type RecordKey,
  type RecordOperation,
  type TokenHook,
  ValidationError,
} from "./hooks.ts";
export { hurrySweeps } from "./hurry-sweep.ts";
export { type Log, silentLog } from "./log.ts";
export { ResourceTakenError } from "./resource-taken-error.ts";
export { receiveInBatches, type StoreDelivery } from "./receive-batches.ts";
export { mappingOfResource, type Safety } from "./rules.ts";
export {
  accountSecrets,
  type Environment,
  LiteralSecretError,
  MissingSecretError,
  type Secrets,
} from "./secrets.ts";
export { type InstanceGuard, randomToken, type Services, type WorkerWork } from "./services.ts";
export { systemClock } from "./system-clock.ts";
export { inTime, limitOf } from "./time-limit.ts";
export { UnfitScopeError } from "./unfit-scope-error.ts";
export { watchFailpoints } from "./watch-failpoints.ts";
