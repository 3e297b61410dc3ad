#!/usr/bin/env node
/** The `tandem` command: passes this process's arguments, streams and signals to `run`. */
import { spawn } from "node:child_process";
import process from "node:process";
import type { Io } from "./output/index.ts";
import { run } from "./run.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
/**
 * How long running work may take to finish after a signal. Kubernetes kills after thirty seconds; other
 * workers redo interrupted work.
 */
const STOP_WITHIN_MS = 25_000;
const interrupted = new Set<() => void>();
let signals = 0;

for (const [signal, status] of Object.entries(SIGNALS)) {
  process.on(signal, () => {
    signals += 1;
    if (signals > 1 || interrupted.size === 0) process.exit(status);
    setTimeout(() => {
      process.stderr.write(
        "tandem: running work did not finish in time; other workers will redo it\n",
      );
      process.exit(status);
    }, STOP_WITHIN_MS).unref();
    for (const listener of [...interrupted]) listener();
  });
}

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onInterrupt(listener) {
    interrupted.add(listener);
    return () => interrupted.delete(listener);
  },
  openBrowser,
  async meet(fate) {
    if (fate === "exit") process.exit(70);
    process.kill(process.pid, fate === "kill" ? "SIGKILL" : "SIGSTOP");
    // A killed process never continues here; a stopped one does, after SIGCONT.
    if (fate === "kill") await new Promise(() => undefined);
  },
};

function openBrowser(url: string): void {
  const [program, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", "", url]
        : ["xdg-open", url];
  const browser = spawn(program, args, { stdio: "ignore", detached: true });
  // There may be no browser; the address was printed.
  browser.on("error", () => undefined);
  browser.unref();
}

// A reader that closes early, as `head` does, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// A log without a reader is no reason to stop.
process.stderr.on("error", () => undefined);

const status = await run(process.argv.slice(2), io);
// Exit explicitly: handles that the configuration opened must not keep the process alive.
process.stdout.write("", () => process.exit(status));
