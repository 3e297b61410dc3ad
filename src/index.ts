/** The package's public API: configure, open, and the types that a user's code needs. */
export {
  type AnyConfig,
  ConfigError,
  defineConfig,
  type IdentitiesConfig,
  reference,
  type SyncConfig,
  type TandemConfig,
} from "./config.ts";
export type { ConnectRequest, TandemOptions } from "./compose.ts";
export type {
  Conflicted,
  Errored,
  Happenings,
  HeardEvent,
  Moved,
} from "./runtime/listeners/index.ts";
export {
  type AfterCommitHook,
  type ApplyHook,
  type CommittedWrite,
  type RecordKey,
  type RecordOperation,
  ValidationError,
} from "./runtime/settings/index.ts";
export type { Counterpart, RecordStatus } from "./server/status-of.ts";
export type { AppSql } from "./store/store.ts";
export type { Row, RowPatch } from "./model/mapping.ts";
export { createTandem, type Tandem } from "./server/tandem.ts";
export {
  type AnyEvent,
  type Conflict,
  type EventError,
  type EventState,
  type Reason,
  REASONS,
  type TandemEvent,
} from "./model/event.ts";
export type { Connection, Account } from "./model/connection.ts";
export type { Worker, WorkerOptions } from "./runtime/worker/index.ts";
