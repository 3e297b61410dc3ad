/** A Redis for one run, configured for production as BullMQ's documentation says; removed when the run ends. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../test/harness/free-port.ts";

export interface Redis {
  readonly port: number;
  stop(): Promise<void>;
}

/** Ends it and removes its files when its standard input closes, which also happens if the bench is killed. */
const GUARD = `
redis-server --port "$1" --dir "$2" --bind 127.0.0.1 --appendonly yes --appendfsync everysec \
  --save "" --maxmemory-policy noeviction --daemonize no >"$2/log" </dev/null &
server=$!
cat >/dev/null
kill "$server"
wait "$server"
rm -rf "$2"`;

const STARTS_WITHIN_MS = 10_000;

export async function hasRedis(): Promise<boolean> {
  try {
    await promisify(execFile)("redis-server", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tandem-bench-redis-"));
  const guard = spawn("/bin/sh", ["-c", GUARD, "guard", String(port), folder], {
    stdio: ["pipe", "ignore", "ignore"],
    // Otherwise Ctrl-C at the terminal would end it before the bench ends.
    detached: true,
  });
  const end = Date.now() + STARTS_WITHIN_MS;
  while (!(await answers(port))) {
    if (Date.now() > end) {
      await stop(guard);
      throw new Error("the Redis for the bench did not start");
    }
    await delay(20);
  }
  return { port, stop: () => stop(guard) };
}

async function stop(guard: ChildProcess): Promise<void> {
  const ended = once(guard, "exit");
  guard.stdin?.end();
  await ended;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
