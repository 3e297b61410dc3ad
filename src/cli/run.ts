/** The whole CLI as a function: arguments and environment in, exit status out. */
import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import {
  addEnvFile,
  addSettings,
  type CommandFailure,
  describeFailure,
  EXIT,
  EXIT_MEANINGS,
  type Within,
  withinContext,
} from "./context/index.ts";
import {
  addApproveCommand,
  addAuditCommand,
  addBackfillCommand,
  addConnectCommand,
  addEventsCommand,
  addExplainCommand,
  addMigrateCommand,
  addEnableCommand,
  addPauseCommand,
  addReconcileCommand,
  addServeCommand,
  addSessionsCommand,
  addSimulateCommand,
  addStartCommand,
  addStatusCommand,
  addWorkCommand,
} from "./commands/index.ts";
import { type Io, paintFor } from "./output/index.ts";

/**
 * Runs one command.
 *
 * @param argv The arguments after the program's name.
 * @returns The exit status; see `EXIT`.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const program = createProgram(io);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return EXIT.ok;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
    // Without a command, the help was shown.
    if (thrown instanceof CommanderError && thrown.code === "commander.help") return EXIT.usage;
    const failure =
      thrown instanceof CommanderError
        ? usage(thrown, commandNamed(program, argv))
        : describeFailure(thrown);
    report(failure, thrown, argv, io);
    return failure.exitCode;
  }
}

/** Every command with its options. */
export function createProgram(io: Io): Command {
  const program = addSettings(new Command("tandem"))
    .description(
      "Keeps the rows of your own Postgres tables and their counterparts in external services in step,\nin both directions, and explains every outcome.",
    )
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // A wrong command line is reported in the format of all failures.
      outputError: () => undefined,
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getOutHasColors: () => false,
    })
    .addHelpText("after", EPILOGUE)
    .hook("preAction", () => {
      addEnvFile(io.cwd, io.env);
    });
  const within: Within = withinContext(io);
  const groups: readonly (readonly [string, readonly ((to: Command, by: Within) => void)[]])[] = [
    ["Set up:", [addMigrateCommand, addConnectCommand]],
    ["Run:", [addStartCommand, addWorkCommand, addServeCommand]],
    ["Look:", [addStatusCommand, addEventsCommand, addExplainCommand, addAuditCommand]],
    [
      "Operate:",
      [
        addPauseCommand,
        addEnableCommand,
        addApproveCommand,
        addReconcileCommand,
        addBackfillCommand,
        addSessionsCommand,
      ],
    ],
    ["Try:", [addSimulateCommand]],
  ];
  for (const [heading, adds] of groups) {
    program.commandsGroup(heading);
    for (const add of adds) add(program, within);
  }
  return program.commandsGroup("Help:").helpCommand("help [command]", "show a command's help");
}

const EPILOGUE = `
Begin:
  $ tandem start --demo                               a sample app and a simulated GitHub
  $ tandem migrate                                    install the ledger beside your tables
  $ tandem connect github acme/site --scope 42        connect a repository to project 42
  $ tandem start                                      sync, and open the dashboard
  $ tandem explain tasks 42                           why is this row as it is?

The configuration is tandem.config.ts; without a database in it, an embedded Postgres (PGlite) is
kept under .tandem/. Variables in a .env file are set, unless they are already. Only one process can
open a PGlite: while a server runs, the other commands ask that server.

Exit status:
${Object.entries(EXIT_MEANINGS)
  .map(([code, meaning]) => `  ${code}  ${meaning}`)
  .join("\n")}`;

function usage(thrown: CommanderError, command: string): CommandFailure {
  const message = thrown.message
    .replace(/^error: /, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return {
    exitCode: EXIT.usage,
    code: "usage",
    message,
    hint: `See \`${command} --help\`.`,
  };
}

/** The command that the arguments name, as far as they match: `tandem events list`. */
function commandNamed(program: Command, argv: readonly string[]): string {
  const path = [program];
  for (const word of argv) {
    const next = path.at(-1)?.commands.find((command) => command.name() === word);
    if (next !== undefined) path.push(next);
  }
  return path.map((command) => command.name()).join(" ");
}

function report(failure: CommandFailure, thrown: unknown, argv: readonly string[], io: Io): void {
  const { code, message, hint } = failure;
  const end = argv.indexOf("--");
  const flags = new Set(end < 0 ? argv : argv.slice(0, end));
  if (flags.has("--json")) {
    io.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  } else {
    const paint = paintFor(io, io.stderr);
    io.stderr.write(`${paint.red("error:")} ${message}\n  code: ${code}\n  fix: ${hint}\n`);
  }
  if (flags.has("--verbose") && thrown instanceof Error) io.stderr.write(`${stackOf(thrown)}\n`);
}

/** The stack traces of an error and its causes. */
function stackOf(error: Error): string {
  const stack = error.stack ?? String(error);
  return error.cause instanceof Error ? `${stack}\ncaused by: ${stackOf(error.cause)}` : stack;
}
