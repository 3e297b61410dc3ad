/** A terminal in memory: commands run in this process, and what they print is kept. */
import type { Io } from "../../src/cli/output/io.ts";
import { run } from "../../src/cli/run.ts";

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly ended: Promise<Result>;
  /** The text on standard output so far. */
  out(): string;
  /** Resolves when it has printed its first answer. */
  readonly answered: Promise<string>;
  /** Presses Ctrl-C. */
  interrupt(): void;
}

export interface Terminal {
  /** Runs a command to its end. */
  tandem(...argv: string[]): Promise<Result>;
  /** Runs one that must succeed, and reads its JSON. */
  json<T>(...argv: string[]): Promise<T>;
  /** Starts one that runs until it is interrupted. */
  start(...argv: string[]): Running;
  /** The addresses that the browser was asked to open. */
  readonly opened: readonly string[];
}

export interface TerminalOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
}

export function openTerminal({ cwd, env = {}, isTTY = false }: TerminalOptions): Terminal {
  const opened: string[] = [];

  function start(...argv: string[]): Running {
    let out = "";
    let err = "";
    let announce: (text: string) => void = () => undefined;
    const answered = new Promise<string>((resolve) => {
      announce = resolve;
    });
    const interrupted = new Set<() => void>();
    const io: Io = {
      stdout: {
        isTTY,
        columns: 100,
        write: (text) => {
          out += text;
          announce(out);
        },
      },
      stderr: { isTTY, write: (text) => (err += text) },
      env,
      cwd,
      timeZone: "UTC",
      onInterrupt(listener) {
        interrupted.add(listener);
        return () => interrupted.delete(listener);
      },
      openBrowser: (url) => opened.push(url),
    };
    const ended = run(argv, io).then((code) => {
      announce(out);
      return { code, out, err };
    });
    return {
      ended,
      answered,
      out: () => out,
      interrupt: () => {
        for (const listener of [...interrupted]) listener();
      },
    };
  }

  const tandem = (...argv: string[]): Promise<Result> => start(...argv).ended;
  return {
    tandem,
    start,
    opened,
    async json<T>(...argv: string[]) {
      const { code, out, err } = await tandem(...argv, "--json");
      if (code !== 0) throw new Error(`tandem ${argv.join(" ")} ended with ${code}: ${err}`);
      // The test says what it expects.
      return JSON.parse(out) as T;
    },
  };
}
