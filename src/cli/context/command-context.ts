/** The context of every command: the common settings, and its ways to answer, log and reach the ledger. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Log } from "../../runtime/services/index.ts";
import {
  createLogger,
  type Io,
  LOG_LEVELS,
  type LogLevel,
  type Paint,
  paintFor,
  type Reader,
} from "../output/index.ts";
import { type LedgerAccess, withLedger } from "./ledger-access.ts";

/** The options that every command accepts. */
export interface Settings {
  readonly config?: string;
  readonly json?: boolean;
  readonly logLevel?: LogLevel;
  readonly verbose?: boolean;
}

export interface CommandContext {
  readonly io: Io;
  readonly settings: Settings;
  readonly paint: Paint;
  /** The settings by which times are formatted. */
  readonly reader: Reader;
  /** Prints the command's answer: the value with `--json`, otherwise the lines. */
  readonly answer: (value: unknown, lines: readonly string[]) => void;
  /** A log at the level of `--log-level`, or at this one. */
  readonly log: (level: LogLevel) => Log;
  /** Opens the ledger of a running server or, without one, of the configuration. */
  readonly withLedger: <T>(
    options: LedgerOptions,
    use: (ledger: LedgerAccess) => Promise<T>,
  ) => Promise<T>;
}

/** Runs a command's work with its context. Arguments come first, then the command's options. */
export type Within = <Args extends readonly unknown[]>(
  work: (context: CommandContext, ...args: Args) => Promise<void>,
) => (...args: [...Args, Command]) => Promise<void>;

export function withinContext(io: Io): Within {
  return (work) =>
    async (...all) => {
      const [command, ...args] = [all.at(-1) as Command, ...all.slice(0, -1)];
      // Commander passes the declared arguments, then the options, then the command.
      await work(createContext(io, command.optsWithGlobals()), ...(args as never));
    };
}

function createContext(io: Io, settings: Settings): CommandContext {
  const zone = io.timeZone === undefined ? {} : { timeZone: io.timeZone };
  const log = (level: LogLevel): Log =>
    createLogger(settings.logLevel ?? level, io.stderr, paintFor(io, io.stderr), io.timeZone);
  return {
    io,
    settings,
    paint: paintFor(io),
    reader: { now: new Date(), ...zone },
    answer(value, lines) {
      const text = settings.json === true ? JSON.stringify(value, null, 2) : lines.join("\n");
      io.stdout.write(`${text}\n`);
    },
    log,
    withLedger: ({ url }, use) =>
      withLedger({ io, log: log("silent"), config: settings.config, url }, use),
  };
}

export function addSettings(program: Command): Command {
  return program
    .option(
      "-c, --config <file>",
      "path of the configuration (default: tandem.config.ts, .mts, .js, .mjs)",
    )
    .option("--json", "answer as JSON; failures too, on standard error")
    .addOption(
      new Option("--log-level <level>", "the level of the log on standard error").choices(
        LOG_LEVELS,
      ),
    )
    .option("--verbose", "show a failure's stack trace");
}

export interface LedgerOptions {
  readonly url?: string;
}

/** The options of commands that a running server can answer. */
export function addLedgerOptions(command: Command): Command {
  return command.option(
    "--url <address>",
    "ask the Tandem server at this address, with TANDEM_API_TOKEN as its token",
    readAddress,
  );
}

function readAddress(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError("Give an address such as http://127.0.0.1:4400.");
}

/** An option's whole number. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `${least} to ${most}`;
    throw new InvalidArgumentError(`Give a whole number, ${range}.`);
  };
}

/** A paragraph of examples under a command's help. */
export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, what]) => `  $ ${command.padEnd(width)}  ${what}`.trimEnd()).join("\n")}`;
}
