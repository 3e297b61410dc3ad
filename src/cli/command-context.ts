/** What a command is given beside its arguments: the settings of every command, and the ways out. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Log } from "../runtime/services/index.ts";
import type { Io } from "./io.ts";
import { type LedgerAccess, withLedger } from "./ledger-access.ts";
import type { Reader } from "./local-time.ts";
import { createLogger, LOG_LEVELS, type LogLevel } from "./logger.ts";
import { type Paint, paintFor } from "./paint.ts";

/** The options that every command takes. */
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
  /** Who reads the times. */
  readonly reader: Reader;
  /** Gives the command's answer: the value with `--json`, else the lines. */
  readonly answer: (value: unknown, lines: readonly string[]) => void;
  /** A log at the level asked for, or at this one. */
  readonly log: (level: LogLevel) => Log;
  /** Gives a running server's ledger or, where there is none, that of the configuration. */
  readonly withLedger: <T>(
    options: LedgerOptions,
    use: (ledger: LedgerAccess) => Promise<T>,
  ) => Promise<T>;
}

/** Runs a command's work with its context; arguments come first, then its options. */
export type Within = <Args extends readonly unknown[]>(
  work: (context: CommandContext, ...args: Args) => Promise<void>,
) => (...args: [...Args, Command]) => Promise<void>;

export function withinContext(io: Io): Within {
  return (work) =>
    async (...all) => {
      const [command, ...args] = [all.at(-1) as Command, ...all.slice(0, -1)];
      // Commander passes what the command declared, then its options, then the command.
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
    .option("-c, --config <file>", "the configuration (default: tandem.config.ts, .mts, .js, .mjs)")
    .option("--json", "answer as JSON; failures too, on standard error")
    .addOption(
      new Option("--log-level <level>", "what to log on standard error").choices(LOG_LEVELS),
    )
    .option("--verbose", "show where a failure comes from");
}

export interface LedgerOptions {
  readonly url?: string;
}

/** The options of commands that a running server can answer. */
export function addLedgerOptions(command: Command): Command {
  return command.option(
    "--url <address>",
    "ask the Tandem server at this address; TANDEM_API_TOKEN is its token, if it has one",
    readAddress,
  );
}

function readAddress(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError("It looks like http://127.0.0.1:4400.");
}

/** An option's whole number. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `${least} to ${most}`;
    throw new InvalidArgumentError(`It is a whole number, ${range}.`);
  };
}

/** A paragraph of examples under a command's help. */
export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, what]) => `  $ ${command.padEnd(width)}  ${what}`.trimEnd()).join("\n")}`;
}
