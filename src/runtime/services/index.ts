/**
 * The services that every loop of the runtime uses: clients, directory, clock, log and failpoints.
 *
 * 1. Nothing here imports another folder of the runtime, except the app's settings.
 * 2. Secrets are opened only when an account's client is opened.
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
export { createMicroBatcher } from "./micro-batch.ts";
export { groupBy, mapBy } from "./grouping.ts";
export { hurrySweeps } from "./hurry-sweep.ts";
export { type Log, silentLog } from "./log.ts";
export { type InstanceGuard, randomToken, type Services, type WorkerWork } from "./services.ts";
export { systemClock } from "./system-clock.ts";
export { inTime, limitOf } from "./time-limit.ts";
export { watchFailpoints } from "./watch-failpoints.ts";
