/**
 * Production in small: one Postgres, a `tandem serve` that takes the webhooks, and as many
 * `tandem work` processes as a test starts; GitHub is simulated in the test's own process, over HTTP.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import type { GitHubSimulator } from "../../src/testing/github/index.ts";
import { makeFolder, openGitHub } from "../cli/project.ts";
import { openTerminal, type Terminal } from "../cli/terminal.ts";
import { openTestDatabase, type TestDatabase } from "../harness/databases.ts";
import { type Child, startChild } from "./child.ts";
import { configText } from "./config-text.ts";

const SECRET = "a webhook secret";
export const REPOSITORY = "acme/site";
/** A worker that takes over from a dead one waits this long. */
export const LEASE_SECONDS = 2;

/** The database of a fleet: where its processes reach it, and how a test speaks to it. */
export interface FleetDatabase {
  readonly url?: string | undefined;
  readonly sql: TestDatabase["sql"];
  close(): Promise<void>;
}

/** The other settings of a process. */
type Environment = Readonly<Record<string, string>>;

export interface Fleet {
  /** The process that takes the webhooks, and its address. */
  readonly server: Child;
  readonly serverUrl: string;
  readonly github: GitHubSimulator;
  readonly sql: TestDatabase["sql"];
  /** The command line, in this process. */
  readonly terminal: Terminal;
  /** Starts a worker process, of this release or of another folder's, and returns when it is at work. */
  startWorker(name: string, release?: string, more?: Environment): Promise<Child>;
  /** Starts a command as a process, of this release or of another folder's. */
  start(argv: readonly string[], release?: string, more?: Environment): Child;
  /** Whether nothing waits anywhere: no webhook, captured write, or event under way. */
  quiet(): Promise<boolean>;
  close(): Promise<void>;
}

/** @param given absent: a fresh one on the run's Postgres */
export async function openFleet(given?: FleetDatabase): Promise<Fleet> {
  const database = given ?? (await openTestDatabase("postgres"));
  await database.sql(`${SAMPLE_SCHEMA}; insert into projects (name) values ('Site');
    insert into users (name, github_login) values ('Mona', 'mona')`);
  const folder = makeFolder({ "tandem.config.ts": configText(database.url ?? "") });
  const { simulator, listening } = await openGitHub();
  simulator.createUser({ login: "mona" });
  const env = { GITHUB_TOKEN: "bot-token", HOOK_SECRET: SECRET };
  const terminal = openTerminal({ cwd: folder, env });
  const children: Child[] = [];
  const settings = [`--config=${join(folder, "tandem.config.ts")}`, "--json", "--log-level=error"];

  function start(argv: readonly string[], release?: string, more: Environment = {}): Child {
    const child = startChild([...argv, ...settings], { ...env, ...more }, "sources", release);
    children.push(child);
    return child;
  }
  async function command(...argv: string[]): Promise<void> {
    const { code, err } = await terminal.tandem(...argv);
    if (code !== 0) throw new Error(`tandem ${argv.join(" ")}: ${err}`);
  }

  await command("migrate");
  await command(
    ...["connect", "github", REPOSITORY, "--scope=1", "--webhook-secret-env=HOOK_SECRET"],
    `--base-url=${listening.url}`,
  );
  const server = start(["serve", "--port=0"]);
  const serving = JSON.parse(await server.ready) as {
    readonly url: string;
    readonly webhooks: { readonly github: string };
  };
  simulator.addHook({
    url: serving.webhooks.github,
    secret: SECRET,
    events: ["issues", "issue_comment"],
  });
  return {
    server,
    serverUrl: serving.url,
    github: simulator,
    sql: (text, params) => database.sql(text, params),
    terminal,
    start,
    async startWorker(name, release, more) {
      const settings = [`--name=${name}`, `--lease=${String(LEASE_SECONDS)}`];
      const child = start(["work", ...settings], release, more);
      await child.ready;
      return child;
    },
    async quiet() {
      if (simulator.pendingDeliveries > 0) return false;
      const [left] = await database.sql<{ count: number }>(`
        select (select count(*) from tandem.changes)
          + (select count(*) from tandem.deliveries where state in ('received', 'failed'))
          + (select count(*) from tandem.events_live where state in ('queued', 'processing')) as count`);
      return left?.count === 0;
    },
    async close() {
      for (const child of children) {
        child.send("SIGKILL");
        await child.ended;
      }
      await listening.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
