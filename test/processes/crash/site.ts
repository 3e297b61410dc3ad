/**
 * The site where cells of the crash matrix are played: a database of its own, a simulated GitHub over HTTP, a
 * receiver in this process, and a successor that stands still while a worker is led to its death.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { loadConfig } from "../../../src/cli/context/load-config.ts";
import { SAMPLE_SCHEMA } from "../../../src/demo/sample-schema.ts";
import { systemClock } from "../../../src/runtime/services/system-clock.ts";
import { createTandem, type Tandem } from "../../../src/server/tandem.ts";
import { createGitHubSimulator, type GitHubSimulator } from "../../../src/testing/github/index.ts";
import { seededRandom } from "../../../src/testing/random.ts";
import { type Child, startChild } from "../child.ts";
import { configText } from "../config-text.ts";
import { until } from "./until.ts";

export const REPOSITORY = "acme/site";
export const LEASE_SECONDS = 1;
const SECRET = "a webhook secret";
const ENVIRONMENT = { GITHUB_TOKEN: "bot-token", HOOK_SECRET: SECRET };

export interface Site {
  readonly github: GitHubSimulator;
  /** The receiver; it runs no worker. */
  readonly tandem: Tandem;
  sql<T>(text: string, params?: readonly unknown[]): Promise<readonly T[]>;
  /** Starts a worker with failpoints armed, and returns when it is at work. Its lease: in seconds. */
  startWorker(name: string, armed: string, lease?: number): Promise<Child>;
  /** Stops the successor between two of its transactions. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Whether no transaction anywhere holds or writes anything. */
  isIdle(): Promise<boolean>;
  /** Kills the workers that are left, but for the successor. */
  bury(): Promise<void>;
  /** Whether nothing waits anywhere: no webhook, captured write, or event under way. */
  quiet(): Promise<boolean>;
  /** The waiting events, as text for people. */
  waiting(): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/**
 * @param adminUrl of a Postgres on which databases may be created
 * @param program how workers are run: `built` needs `npm run build`
 */
export async function openSite(
  adminUrl: string,
  name: string,
  program: "sources" | "built",
): Promise<Site> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const database = `tandem_crash_${String(process.pid)}_${name}`;
  await admin.query(`create database ${database} template template0`);
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 2 });
  pool.on("error", () => undefined);
  await pool.query(`${SAMPLE_SCHEMA}; insert into projects (name) values ('Site');
    insert into users (name, github_login) values ('Mona', 'mona')`);

  const folder = mkdtempSync(join(tmpdir(), "tandem-crash-"));
  const file = join(folder, "tandem.config.ts");
  writeFileSync(file, configText(url.href));
  const config = await loadConfig(folder, undefined);
  const tandem = await createTandem(config, { environment: ENVIRONMENT });
  const github = createGitHubSimulator({ clock: systemClock, random: seededRandom(1) });
  github.createUser({ login: "mona" });
  github.createRepository({ owner: "acme", name: "site" });
  github.token(ENVIRONMENT.GITHUB_TOKEN, { login: "tandem[bot]" });
  github.faults.webhooks.delayMs = 0;
  const listening = await github.listen();
  await tandem.migrate();
  await tandem.connect({
    account: {
      name: "acme",
      integration: "github",
      credentials: { token: { env: "GITHUB_TOKEN" }, baseUrl: listening.url },
      webhookSecret: { env: "HOOK_SECRET" },
    },
    container: REPOSITORY,
    scope: "1",
  });
  github.addHook({
    secret: SECRET,
    events: ["issues", "issue_comment"],
    deliver: (request) => tandem.fetch(new Request("http://localhost/webhooks/github", request)),
  });

  const children = new Set<Child>();
  async function start(
    worker: string,
    env: Readonly<Record<string, string>>,
    lease = LEASE_SECONDS,
  ): Promise<Child> {
    const options = [`--config=${file}`, `--lease=${String(lease)}`, "--log-level=error"];
    const child = startChild(
      ["work", `--name=${worker}`, "--json", ...options],
      { ...ENVIRONMENT, ...env },
      program,
    );
    children.add(child);
    void child.ended.finally(() => children.delete(child));
    await child.ready;
    return child;
  }
  async function sql<T>(text: string, params: readonly unknown[] = []): Promise<readonly T[]> {
    return (await pool.query(text, [...params])).rows as T[];
  }
  /** A transaction that has locked or written something has an id. */
  async function isIdle(): Promise<boolean> {
    const [busy] = await sql<{ count: string }>(`
      select count(*) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and (backend_xid is not null or state = 'active')`);
    return busy?.count === "0";
  }

  await keepFromPolling();
  const successor = await start("successor", {});
  /** A poll brings what webhooks bring: it would come between a death and what follows from it. */
  async function keepFromPolling(): Promise<void> {
    await pool.query(
      "update tandem.connections set polled_at = tandem.now(), swept_at = tandem.now()",
    );
  }

  return {
    github,
    tandem,
    sql,
    async startWorker(worker, armed, lease) {
      await keepFromPolling();
      return start(worker, { TANDEM_FAILPOINT: armed }, lease);
    },
    async freeze() {
      await until("the successor rests between its transactions", async () => {
        successor.send("SIGSTOP");
        if (await isIdle()) return true;
        successor.send("SIGCONT");
        return false;
      });
    },
    thaw() {
      successor.send("SIGCONT");
    },
    isIdle,
    async bury() {
      for (const child of children) {
        if (child === successor) continue;
        child.send("SIGKILL");
        await child.ended;
      }
    },
    async quiet() {
      if (github.pendingDeliveries > 0) return false;
      const [left] = await sql<{ count: string }>(`
        select (select count(*) from tandem.changes)
          + (select count(*) from tandem.deliveries where state in ('received', 'failed'))
          + (select count(*) from tandem.events_live where state in ('queued', 'processing')) as count`);
      return left?.count === "0";
    },
    waiting: () =>
      sql(`
        select direction, state, reason, epoch, worker, run_at, lease_expires_at, error
        from tandem.events_live
        union all
        select 'delivery', state, event || ' ' || coalesce(action, ''), attempts, null, run_at, null, error
        from tandem.deliveries where state in ('received', 'failed')`),
    async close() {
      for (const child of children) {
        child.send("SIGKILL");
        await child.ended;
      }
      await tandem.stop();
      await listening.close();
      await pool.end();
      await admin.query(`drop database if exists ${database} with (force)`);
      await admin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
