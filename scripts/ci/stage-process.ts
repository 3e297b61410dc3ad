/**
 * The process of one stage. It leads a process group of its own, so that a limit or an interrupt ends it with all that
 * it started; and when it ends by itself, nothing that it started is left behind.
 */
import { spawn } from "node:child_process";

/** From the first request to end until the kill. */
const GRACE_MILLIS = 15_000;

export interface StageCommand {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMillis: number;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export interface ProcessEnd {
  /** 1 where a signal ended it. */
  readonly code: number;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly output: string;
}

export function runStageProcess(stage: StageCommand): Promise<ProcessEnd> {
  const [program = "", ...args] = stage.command;
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...stage.env },
  });
  const stdout: string[] = [];
  const output: string[] = [];
  const keep = (text: string) => {
    output.push(text);
    stage.onOutput?.(text);
  };
  // Decoded by the stream: a character may be cut in two by the pipe.
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout.push(text);
    keep(text);
  });
  child.stderr.setEncoding("utf8").on("data", keep);

  return new Promise((resolve) => {
    let timedOut = false;
    let killing: NodeJS.Timeout | undefined;
    const signalGroup = (signal: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // No process is left in the group.
      }
    };
    const end = () => {
      signalGroup("SIGTERM");
      killing ??= setTimeout(() => {
        signalGroup("SIGKILL");
        // A process that left the group may hold the pipes open.
        child.stdout.destroy();
        child.stderr.destroy();
      }, GRACE_MILLIS);
    };
    const limit = setTimeout(() => {
      timedOut = true;
      end();
    }, stage.limitMillis);
    if (stage.signal.aborted) end();
    stage.signal.addEventListener("abort", end);

    const done = (code: number) => {
      clearTimeout(limit);
      clearTimeout(killing);
      stage.signal.removeEventListener("abort", end);
      resolve({ code, timedOut, stdout: stdout.join(""), output: output.join("") });
    };
    child.once("error", ({ message }) => {
      keep(`${message}\n`);
      done(127);
    });
    child.once("exit", () => {
      signalGroup("SIGKILL");
    });
    child.once("close", (code) => {
      done(code ?? 1);
    });
  });
}
