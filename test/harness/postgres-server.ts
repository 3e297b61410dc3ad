/**
 * A real Postgres for one test run: in a folder of its own, on a free port of the loopback
 * interface, gone when the run ends however it ends.
 */
import { execFile, spawn, type ChildProcessByStdio } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { findPostgres, unprivilegedUser, type UnprivilegedUser } from "./postgres-binaries.ts";

export interface PostgresServer {
  /** A superuser's URL of the `postgres` database, from which test databases are created. */
  readonly adminUrl: string;
  readonly version: string;
  /** Ends it and removes what it left. */
  stop(): Promise<void>;
}

/** A Postgres that a test may stop and start again, copy, and promote. */
export interface PostgresNode extends PostgresServer {
  readonly port: number;
  /** `fast` ends every connection; `immediate` does not even write a checkpoint, as a crash. */
  halt(how: "fast" | "immediate"): Promise<void>;
  /** Starts it again, at the same address. */
  resume(): Promise<void>;
  /** Starts a standby that follows this one, from a copy made while this one is halted. */
  addStandby(): Promise<PostgresNode>;
  /** Makes a standby the primary. */
  promote(): Promise<void>;
}

const run = promisify(execFile);

/**
 * Settings that differ from Postgres's own are of two kinds: no durability, since nothing here
 * outlives the run; and what production has and a developer's machine has not (a language's
 * collation, a time zone with an odd offset), so that code relying on either fails here first.
 */
const settings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  fsync: "off",
  full_page_writes: "off",
  max_wal_size: "256MB",
  max_connections: "200",
  shared_buffers: "64MB",
  // A standby that was started before its primary would look for it after five seconds.
  wal_retrieve_retry_interval: "100ms",
  timezone: "America/St_Johns",
};
/** For measuring: as Postgres comes, so that a commit is one. */
const durableSettings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
};
const clusterOptions = [
  "--username=postgres",
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=icu",
  "--icu-locale=en-US",
  "--no-sync",
];

type Guard = ChildProcessByStdio<Writable, null, null>;

/** Waits until its standard input closes, which a run that is killed does too; then cleans up. */
const guardScript =
  'cat >/dev/null; "$1" stop --silent --mode=immediate -D "$2/data"; rm -rf "$2" "$3"';

/** @param npmPackage see `findPostgres` */
export async function startPostgres(npmPackage: string | undefined): Promise<PostgresServer> {
  return startPostgresNode(npmPackage);
}

/** The same, on a disk and with Postgres's own settings, except what is said. */
export function startDurablePostgres(
  except: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  return startPostgresNode(undefined, undefined, { ...durableSettings, ...except });
}

/** The same as in memory, with its data in that folder. */
export function startPostgresIn(folder: string): Promise<PostgresNode> {
  return startPostgresNode(undefined, undefined, undefined, folder);
}

/** The primary that a standby begins as a copy of. */
interface CopyOf {
  readonly data: string;
  readonly password: string;
  readonly port: number;
}

/**
 * @param of the node to copy; absent: a new and empty one
 * @param durable its settings, where it is to keep what it is told
 * @param parent where its data lies
 */
export async function startPostgresNode(
  npmPackage: string | undefined,
  of?: CopyOf,
  durable?: Readonly<Record<string, string>>,
  parent: string = durable === undefined ? fastestFolder() : tmpdir(),
): Promise<PostgresNode> {
  const user = unprivilegedUser();
  const folders = [tmpdir(), parent].map((above) => {
    const folder = mkdtempSync(join(above, "tandem-test-postgres-"));
    giveTo(user, folder);
    return folder;
  }) as [string, string];
  const [scratch, home] = folders;
  const data = join(home, "data");
  const log = join(scratch, "server.log");
  let guard: Guard | undefined;
  const stop = async () => {
    if (guard === undefined) {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    } else {
      guard.ref();
      guard.stdin.end();
      await once(guard, "exit");
    }
  };
  try {
    const binaries = findPostgres(scratch, user, npmPackage);
    // The locale is fixed because macOS refuses to start a server without one.
    const options = { ...user, cwd: scratch, env: { PATH: process.env.PATH, LC_ALL: "C" } };

    // Its own session: an interrupt typed at the terminal must not end the guard before its time.
    guard = spawn("/bin/sh", ["-c", guardScript, "guard", binaries.pgCtl, home, scratch], {
      ...options,
      cwd: "/",
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    guard.unref();

    const password = of?.password ?? randomBytes(12).toString("hex");
    const passwordFile = join(scratch, "password");
    writeFileSync(passwordFile, password, { mode: 0o600 });
    giveTo(user, passwordFile);
    if (of === undefined) {
      await run(
        binaries.initdb,
        [...clusterOptions, `--pwfile=${passwordFile}`, "-D", data],
        options,
      );
    } else {
      // As that user, whose the copy must be.
      await run("cp", ["-R", of.data, data], options);
      follow(of, data);
      giveTo(user, join(data, "standby.signal"));
    }
    const control = (command: string, ...more: string[]) =>
      run(binaries.pgCtl, [command, "--silent", "-w", "-D", data, ...more], options);
    const startAt = async (candidate: number) => {
      const flags = Object.entries({
        ...(durable ?? settings),
        port: String(candidate),
      })
        .map(([name, value]) => `-c ${name}='${value}'`)
        .join(" ");
      await control("start", "-l", log, "-o", flags);
    };
    const port = await startOnFreePort(startAt);
    const node: PostgresNode = {
      adminUrl: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      version: binaries.version,
      port,
      stop,
      async halt(how) {
        await control("stop", `--mode=${how}`);
      },
      resume: () => startAt(port),
      async addStandby() {
        await node.halt("fast");
        try {
          return await startPostgresNode(npmPackage, { data, password, port });
        } finally {
          await node.resume();
        }
      },
      async promote() {
        await control("promote");
      },
    };
    return node;
  } catch (cause) {
    const said = readIfThere(log);
    await stop();
    throw new Error(`The Postgres for tests did not start.\n${String(cause)}\n${said}`, { cause });
  }
}

/** Makes a copy of a cluster a standby of the one it was copied from. */
function follow({ password, port }: CopyOf, data: string): void {
  writeFileSync(join(data, "standby.signal"), "");
  const address = `host=127.0.0.1 port=${port} user=postgres password=${password}`;
  appendFileSync(join(data, "postgresql.auto.conf"), `primary_conninfo = '${address}'\n`);
}

/**
 * Memory where there is plenty. Creating a database makes 300 files: 12 ms in memory, 300 ms on a
 * slow disk. Not for the binaries, since memory may be mounted without the right to execute.
 */
function fastestFolder(): string {
  const memory = "/dev/shm";
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize >= 2 ** 31) return memory;
  } catch {
    // No such file system: macOS.
  }
  return tmpdir();
}

function giveTo({ uid, gid }: UnprivilegedUser, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

/** Another process may take a free port before the server has it, hence the attempts. */
async function startOnFreePort(start: (port: number) => Promise<void>): Promise<number> {
  for (let attemptsLeft = 4; ; attemptsLeft -= 1) {
    const candidate = await freePort();
    try {
      await start(candidate);
      return candidate;
    } catch (error) {
      if (attemptsLeft === 0) throw error;
    }
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
