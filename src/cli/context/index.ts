/**
 * The context of a command: the configuration, access to the ledger, a server, and the exit codes.
 *
 * 1. A command opens the data directory itself, or asks the server that holds it.
 * 2. A failure says what happened and the next command, and has an exit code of its kind.
 */
export {
  addLedgerOptions,
  addSettings,
  type CommandContext,
  examples,
  type LedgerOptions,
  wholeNumber,
  type Within,
  withinContext,
} from "./command-context.ts";
export { recordCommand } from "./command-line-act.ts";
export { lockDataDirectory } from "./data-directory-lock.ts";
export { addEnvFile } from "./env-file.ts";
export { EXIT, EXIT_MEANINGS } from "./exit-codes.ts";
export { CliError, type CommandFailure, describeFailure } from "./failure.ts";
export { findConnection } from "./find-connection.ts";
export { loadConfig } from "./load-config.ts";
export { openTandem, takeConfig } from "./open-tandem.ts";
export {
  addServingOptions,
  apiTokenOf,
  DEFAULT_HOST,
  describeServing,
  refuseOpenApi,
  serve,
  servingLines,
  type ServingOptions,
} from "./serving.ts";
