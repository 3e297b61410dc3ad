/** The `tandem` command as a process of its own: it can be killed, stopped and continued. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Child {
  /** Absent where it could not be started. */
  readonly pid: number | undefined;
  /** The first line that it printed: it is at work. */
  readonly ready: Promise<string>;
  /** Everything it logged so far. */
  log(): string;
  /**
   * `SIGKILL` ends it within one instruction, `SIGSTOP` freezes it, `SIGCONT` lets it go on, and `SIGUSR2`
   * sets its clock back where that is wrong already.
   */
  send(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM" | "SIGUSR2"): void;
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** How Node runs the command: from its sources, or, once built, in half the time. */
const PROGRAMS = {
  // Resolved from the repository's folder, where jiti is.
  sources: ["--import", "jiti/register", "src/cli/main.ts"],
  built: ["dist/cli/main.js"],
} as const;

/**
 * Starts `tandem ARGUMENTS`.
 *
 * @param release The folder of another release than this one.
 */
export function startChild(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program: keyof typeof PROGRAMS = "sources",
  release: string = root,
): Child {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    [...PROGRAMS[program], ...argv],
    {
      cwd: release,
      env: { PATH: process.env.PATH ?? "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let log = "";
  child.stderr.on("data", (text: Buffer) => (log += text.toString()));
  const ended = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | string);
  const printed = once(child.stdout, "data").then(([text]) => (text as Buffer).toString());
  const early = ended.then((status) => {
    throw new Error(`tandem ${argv.join(" ")} ended with ${String(status)}:\n${log}`);
  });
  // Later than its first word, its end is what the test asks for.
  early.catch(() => undefined);
  return {
    pid: child.pid,
    ready: Promise.race([printed, early]),
    log: () => log,
    send(signal) {
      child.kill(signal);
    },
    ended,
  };
}
