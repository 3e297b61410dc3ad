/** PgBouncer in transaction mode before a Postgres: processes share few connections of the server. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
// eslint-disable-next-line no-restricted-imports -- the chaos run has no expect.poll
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "../processes/node-sql.ts";
import { freePort } from "./free-port.ts";
import { unprivilegedUser } from "./postgres-binaries.ts";
import type { PostgresNode } from "./postgres-server.ts";

export interface PgBouncer {
  readonly port: number;
  /** Ends it within one instruction, and every connection with it. */
  kill(): Promise<void>;
  /** Starts it again, at the same address. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Debian installs it in a folder that the path of an ordinary user may lack. */
const PATH = `${process.env.PATH ?? ""}:/usr/sbin`;
const SERVER_CONNECTIONS = 4;
const PATIENCE_MS = 30_000;
const LOOK_AGAIN_MS = 20;

/** Waits until its standard input closes, which a run that is killed does too; then kills the pooler. */
const guardScript = `
  pgbouncer -q "$1" </dev/null &
  pooler=$!
  cat >/dev/null
  kill -KILL $pooler`;

/** Starts one before a node; a text says why there can be none here. */
export async function startPgBouncer(node: PostgresNode): Promise<PgBouncer | string> {
  const found = spawnSync("pgbouncer", ["--version"], { env: { PATH }, encoding: "utf8" });
  if (found.status !== 0) return "PgBouncer is not installed";
  const user = unprivilegedUser();
  const folder = mkdtempSync(join(tmpdir(), "tandem-pgbouncer-"));
  const admin = new URL(node.adminUrl);
  const port = await freePort();
  const settings = join(folder, "pgbouncer.ini");
  const users = join(folder, "users.txt");
  writeFileSync(users, `"${admin.username}" "${admin.password}"\n`);
  writeFileSync(
    settings,
    `[databases]
* = host=127.0.0.1 port=${String(node.port)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${String(port)}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
max_prepared_statements = 100
max_client_conn = 200
default_pool_size = ${String(SERVER_CONNECTIONS)}
server_login_retry = 1
logfile = ${join(folder, "pgbouncer.log")}
`,
  );
  const { uid, gid } = user;
  if (uid !== undefined && gid !== undefined) {
    for (const path of [folder, settings, users]) chownSync(path, uid, gid);
  }
  admin.port = String(port);
  let stop = () => Promise.resolve();
  const pooler: PgBouncer = {
    port,
    async start() {
      const guard = spawn("/bin/sh", ["-c", guardScript, "guard", settings], {
        ...user,
        cwd: "/",
        env: { PATH },
        stdio: ["pipe", "ignore", "ignore"],
        detached: true,
      });
      const ended = once(guard, "exit");
      stop = async () => {
        guard.stdin.end();
        await ended;
      };
      await until(() => ask(admin.href, "select 1"));
    },
    async kill() {
      await stop();
      stop = () => Promise.resolve();
    },
    async close() {
      await pooler.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await pooler.start();
  } catch (error) {
    await pooler.close();
    throw error;
  }
  return pooler;
}

async function until(work: () => Promise<unknown>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    try {
      await work();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(LOOK_AGAIN_MS);
    }
  }
}
