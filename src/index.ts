/** The package's front door: configure, open, and the types that a user's code meets. */
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
export { createTandem, type Tandem } from "./server/tandem.ts";
export {
  type Conflict,
  type EventError,
  type EventState,
  type Reason,
  REASONS,
  type TandemEvent,
} from "./model/event.ts";
export type { Connection, Account } from "./model/connection.ts";
export type { Worker, WorkerOptions } from "./runtime/worker.ts";
