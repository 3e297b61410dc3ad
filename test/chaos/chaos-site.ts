/**
 * The site of a fault: two `tandem work` and a `tandem serve` as processes, a Postgres of their own behind a
 * proxy, and a GitHub over HTTP behind another. Questions of the judge bypass both proxies.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/cli/context/load-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { systemClock } from "../../src/runtime/services/system-clock.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { createGitHubSimulator, type GitHubSimulator } from "../../src/testing/github/index.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { type FaultProxy, openFaultProxy } from "../harness/fault-proxy.ts";
import { type Misbehaviour, onTheWire } from "../harness/misbehaving-provider.ts";
import type { PostgresNode } from "../harness/postgres-server.ts";
import { type Child, startChild } from "../processes/child.ts";
import { configText } from "../processes/config-text.ts";
import { asAdmin } from "../processes/node-sql.ts";
import {
  clockEnvironment,
  type Ground,
  openGround,
  type ProcessName,
  type Setting,
} from "./settings.ts";

export const REPOSITORY = "acme/site";
const SECRET = "a webhook secret";
const ENVIRONMENT = { GITHUB_TOKEN: "bot-token", HOOK_SECRET: SECRET };
const LEASE_SECONDS = 2;

export interface ChaosSite {
  readonly github: GitHubSimulator;
  readonly database: PostgresNode;
  readonly ground: Ground;
  /** The way of all processes to the database. */
  readonly network: FaultProxy;
  readonly workers: readonly Child[];
  readonly server: Child;
  /** The processes that ended by themselves. */
  readonly fallen: () => readonly string[];
  /** The fault that requests to GitHub meet; `null`: they arrive. */
  readonly spoilGitHub: (how: Misbehaviour | "down" | "slow" | null) => void;
  readonly sql: <T>(text: string) => Promise<readonly T[]>;
  /** The code of the trouble that `/healthz` reports; `null`: none. */
  readonly alarm: () => Promise<string | null>;
  /** An operator's word that the database is the one to go on with. */
  readonly approve: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Needs `npm run build`.
 *
 * @throws UnavailableError where this machine cannot have such a site.
 */
export async function openChaosSite(setting: Setting): Promise<ChaosSite> {
  const network = await openFaultProxy(0);
  let ground: Ground;
  try {
    ground = await openGround(setting, network);
  } catch (error) {
    await network.close();
    throw error;
  }
  const first = ground.primary();
  const sql = <T>(text: string): Promise<readonly T[]> => asAdmin<T>(ground.primary(), text, "app");
  await asAdmin(first, "create database app", "postgres");
  await sql(`${SAMPLE_SCHEMA}; insert into projects (name) values ('Site');
    insert into users (name, github_login) values ('Mona', 'mona')`);
  const github = createGitHubSimulator({ clock: systemClock, random: seededRandom(1) });
  github.createUser({ login: "mona" });
  github.createRepository({ owner: "acme", name: "site" });
  github.token(ENVIRONMENT.GITHUB_TOKEN, { login: "tandem[bot]" });
  github.faults.webhooks.delayMs = 0;
  github.faults.webhooks.timeoutMs = 3_000;
  const listening = await github.listen();
  const front = await openFront(listening.url);

  const url = new URL(first.adminUrl);
  url.pathname = "/app";
  url.port = String(network.port);
  const folder = mkdtempSync(join(tmpdir(), "tandem-chaos-"));
  const file = join(folder, "tandem.config.ts");
  writeFileSync(file, configText(url.href));
  const tandem = await createTandem(await loadConfig(folder, undefined), {
    environment: ENVIRONMENT,
  });
  await tandem.migrate();
  await tandem.connect({
    account: {
      name: "acme",
      integration: "github",
      credentials: { token: { env: "GITHUB_TOKEN" }, baseUrl: front.url },
      webhookSecret: { env: "HOOK_SECRET" },
    },
    container: REPOSITORY,
    scope: "1",
  });
  await tandem.stop();

  const settings = [`--config=${file}`, "--json", "--log-level=error"];
  const fallen: string[] = [];
  const start = (name: ProcessName, ...argv: string[]) => {
    const environment = { ...ENVIRONMENT, ...clockEnvironment(ground, name) };
    const child = startChild([...argv, ...settings], environment, "built");
    void child.ended.then(() => fallen.push(name));
    return child;
  };
  const server = start("server", "serve", "--port=0");
  const workers = (["one", "two"] as const).map((name) =>
    start(name, "work", `--name=${name}`, `--lease=${String(LEASE_SECONDS)}`),
  );
  const serving = JSON.parse(await server.ready) as {
    readonly webhooks: { readonly github: string };
  };
  await Promise.all(workers.map(({ ready }) => ready));
  github.addHook({
    url: serving.webhooks.github,
    secret: SECRET,
    events: ["issues", "issue_comment"],
  });
  const { origin } = new URL(serving.webhooks.github);
  return {
    github,
    get database() {
      return ground.primary();
    },
    ground,
    network,
    workers,
    server,
    fallen: () => [...fallen],
    spoilGitHub: (how) => {
      front.spoil(how);
    },
    sql,
    async alarm() {
      const health = await fetch(`${origin}/healthz`);
      const { code = null } = (await health.json()) as { readonly code?: string };
      return code;
    },
    async approve() {
      const headers = { "content-type": "application/json" };
      const told = await fetch(`${origin}/api/instance/approve`, { method: "POST", headers });
      if (!told.ok) throw new Error(`not approved: ${await told.text()}`);
    },
    async close() {
      for (const child of [server, ...workers]) {
        child.send("SIGKILL");
        await child.ended;
      }
      await front.close();
      await listening.close();
      await network.close();
      await ground.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Weather = Misbehaviour | "down" | "slow" | null;
const SLOW_MS = 2_000;

/** Hands requests on to GitHub, as long as nothing spoils them. */
async function openFront(target: string) {
  let weather: Weather = null;
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => {
      response.destroy();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${String(port)}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const how = weather;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "GET", url: path = "/" } = request;
    const forward = async () => {
      const headers = new Headers();
      for (const name of ["authorization", "accept", "if-none-match"]) {
        const value = request.headers[name];
        if (typeof value === "string") headers.set(name, value);
      }
      const body = chunks.length === 0 ? null : Buffer.concat(chunks).toString();
      return fetch(`${target}${path}`, { method, headers, body, redirect: "manual" });
    };
    if (how === "down") {
      response.destroy();
      return;
    }
    if (how === "slow")
      await new Promise((go) =>
        systemClock.setTimer(SLOW_MS, () => {
          go(null);
        }),
      );
    if (how === null || how === "slow") {
      const answer = await forward();
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(await answer.text());
      return;
    }
    const given = how.isApplied ? await (await forward()).text() : "";
    const wrong = how.answer({ method, path, baseUrl: url }, given);
    const { headers, bytes } = onTheWire(wrong);
    response.writeHead(wrong.status, headers);
    if (wrong.ending === undefined) {
      response.end(bytes ?? undefined);
      return;
    }
    response.write(bytes);
    if (wrong.ending === "breaks_off") response.destroy();
  }

  return {
    url,
    spoil(next: Weather) {
      weather = next;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
