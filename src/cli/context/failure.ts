/** Converts any thrown value to a failure for the user: message, code and remedy. */
import { ConfigError } from "../../config.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import { LiteralSecretError, MissingSecretError } from "../../runtime/settings/index.ts";
import { describeTrouble, MigrationError, sqlState, textOf } from "../../store/database/index.ts";
import { UnknownDatabaseError } from "../../store/postgres/driver/index.ts";
import { DataDirectoryHeldError } from "./data-directory-lock.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

export interface CommandFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: ExitCode;
}

/** A failure that the CLI itself detected. */
export class CliError extends Error implements CommandFailure {
  override readonly name = "CliError";
  readonly code: string;
  readonly hint: string;
  readonly exitCode: ExitCode;

  constructor(
    exitCode: ExitCode,
    code: string,
    message: string,
    hint: string,
    options?: { readonly cause: unknown },
  ) {
    super(message, options);
    this.exitCode = exitCode;
    this.code = code;
    this.hint = hint;
  }
}

/** Describes any thrown value. Known failures are recognised by type, never by text. */
export function describeFailure(thrown: unknown): CommandFailure {
  if (thrown instanceof CliError) return thrown;
  if (thrown instanceof DataDirectoryHeldError) return describeHeld(thrown);
  if (
    thrown instanceof ConfigError ||
    thrown instanceof MissingSecretError ||
    thrown instanceof LiteralSecretError
  ) {
    return failure(EXIT.config, thrown.code, thrown.message, thrown.hint);
  }
  if (thrown instanceof UnknownDatabaseError) {
    return failure(EXIT.config, thrown.code, `database: ${thrown.message}`, thrown.hint);
  }
  if (thrown instanceof MigrationError) {
    return failure(EXIT.database, thrown.code, thrown.message, thrown.hint);
  }
  if (thrown instanceof IntegrationError) {
    const exitCode = thrown.kind === "not_found" ? EXIT.notFound : EXIT.integration;
    return failure(exitCode, thrown.code, thrown.message, thrown.hint);
  }
  const trouble = describeTrouble(thrown);
  if (trouble !== null) {
    return failure(EXIT.database, trouble.code, trouble.message, trouble.hint);
  }
  const state = sqlState(thrown);
  if (state === "EADDRINUSE" || state === "EACCES") return listeningFailure(state, thrown);
  if (state !== null) {
    const known = DATABASE_FAILURES.find(({ states }) => states.includes(state));
    if (known !== undefined) {
      return failure(EXIT.database, known.code, textOf(thrown), known.hint);
    }
    // Node's own error codes begin with E; no class of SQLSTATE does.
    if (/^[0-9A-DF-Z][0-9A-Z]{4}$/.test(state)) {
      return failure(
        EXIT.database,
        `sqlstate_${state}`,
        textOf(thrown),
        "The database refused a statement. Look up the code in Postgres' list of error codes.",
      );
    }
  }
  return failure(
    EXIT.failed,
    "unexpected",
    textOf(thrown),
    "Run the command again with --verbose to see the stack trace.",
  );
}

/** The database has no ledger yet. */
export function notMigrated(cause?: unknown): CliError {
  return new CliError(
    EXIT.database,
    "not_migrated",
    "this database has no tandem schema yet",
    "Run `tandem migrate`. If it has run already, check that this is the right database.",
    { cause },
  );
}

/** The failure of a command that needs the database itself and cannot ask the server instead. */
function describeHeld({ holder, lockFile, message }: DataDirectoryHeldError): CommandFailure {
  if (holder === null) {
    return failure(
      EXIT.database,
      "lock_unreadable",
      message,
      `Try again. If no Tandem process runs here, delete ${lockFile}.`,
    );
  }
  const { pid, url } = holder;
  if (url === null) {
    return failure(
      EXIT.database,
      "data_directory_busy",
      `${message}, and only one process can open a PGlite`,
      `Wait until process ${pid} ends, or stop it. Many processes can share a Postgres: see \`database\` in the config.`,
    );
  }
  return failure(
    EXIT.refused,
    "server_running",
    `a Tandem server has the data directory open: process ${pid} at ${url}`,
    "This command opens the database itself, and only one process can open a PGlite: stop the server first. Many processes can share a Postgres: see `database` in the config.",
  );
}

const DATABASE_FAILURES: readonly {
  readonly states: readonly string[];
  readonly code: string;
  readonly hint: string;
}[] = [
  {
    states: ["28P01", "28000"],
    code: "database_login_refused",
    hint: "Check user and password in the config's database URL.",
  },
  {
    states: ["3D000"],
    code: "no_such_database",
    hint: "Create the database, or correct its name in the config's database URL.",
  },
  {
    states: ["42501"],
    code: "not_allowed",
    hint: "The database's user needs to own the mapped tables to migrate, and to read and write them to work.",
  },
];

function listeningFailure(state: "EADDRINUSE" | "EACCES", thrown: unknown): CommandFailure {
  return state === "EADDRINUSE"
    ? failure(
        EXIT.refused,
        "port_taken",
        textOf(thrown),
        "Choose another port with --port; 0 chooses a free one.",
      )
    : failure(
        EXIT.refused,
        "not_permitted",
        textOf(thrown),
        "Check the permissions of the file or port in the message.",
      );
}

function failure(exitCode: ExitCode, code: string, message: string, hint: string): CommandFailure {
  return { exitCode, code, message, hint };
}
