/**
 * `npm start`: the sample app on an embedded Postgres, GitHub (simulated, or the real one), Tandem
 * between them, and the page that shows all three.
 */
import type { PGlite } from "@electric-sql/pglite";
import { createAdaptorServer, type ServerType } from "@hono/node-server";
import { Hono } from "hono";
import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Log, systemClock } from "../runtime/services/index.ts";
import { dashboardAssets } from "../server/assets.ts";
import { KEEP_ALIVE_MS } from "../server/keep-alive.ts";
import { createTandem, type Tandem } from "../server/tandem.ts";
import { openPglite, pgliteDatabase } from "../store/postgres/driver/index.ts";
import {
  createGitHubSimulator,
  type GitHubSimulator,
  type Listening,
} from "../testing/github/index.ts";
import type { DemoState } from "./api-types.ts";
import { rememberRepository } from "./github-memory.ts";
import { githubPane, type GitHubPane } from "./github-pane.ts";
import { readCachedIssues, readPairs } from "./pairs.ts";
import { demoRoutes } from "./routes.ts";
import { sampleApp, TASK_STATUSES } from "./sample-app.ts";
import { sampleConfig } from "./sample-config.ts";
import { plantIssues, plantTasks } from "./seeds.ts";
import { stateFeed } from "./state-feed.ts";
import { createTroubles } from "./trouble.ts";
import { workerSwitch } from "./worker-switch.ts";

export interface DemoOptions {
  /** The page's port; if it is in use, the next free one. 0: any. */
  readonly port: number;
  /** The simulated GitHub's port; if it is in use, the next free one. 0: any. */
  readonly githubPort: number;
  /** Local only, because the demo has no login. */
  readonly host: "127.0.0.1";
  /** The directory of the database and the simulated GitHub; `null` keeps them in memory. */
  readonly dataDir: string | null;
  /** The real GitHub instead of the simulator. */
  readonly github: {
    readonly token: string;
    /** `owner/name` */
    readonly repository: string;
    /** The API's address, for a GitHub Enterprise Server. */
    readonly baseUrl?: string;
  } | null;
  readonly log: Log;
}

export interface Demo {
  /** The address of the page. */
  readonly url: string;
  /** The address of GitHub's API. */
  readonly githubUrl: string;
  close(): Promise<void>;
}

const REPOSITORY = "acme/site";
const TOKEN = "demo-token";
const WEBHOOK_SECRET = "demo-webhook-secret";
const PROJECT = "1";

/** Short, so that a spectator sees the recovery. */
const LEASE_MILLIS = 5_000;
const POLL_MILLIS = { simulator: 10_000, github: 15_000 } as const;

/** Starts everything; resolves when the page can be opened. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { log, host } = options;
  const closing: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const pglite = await openDirectory(databaseDirectory(options));
    closing.push(() => pglite.close());
    const app = sampleApp(await pgliteDatabase(pglite));
    const isFirstRun = await app.install();

    const github = options.github === null ? await startGitHub(options, closing) : null;
    const repository = options.github?.repository ?? REPOSITORY;
    const tandem = await createTandem(sampleConfig(pglite), {
      log,
      environment: environmentOf(options),
    });
    closing.push(() => tandem.stop());
    const worker = workerSwitch(() =>
      tandem.startWorker({
        leaseMillis: LEASE_MILLIS,
        pollMillis: POLL_MILLIS[github === null ? "github" : "simulator"],
      }),
    );
    await tandem.migrate();
    await connect(tandem, options, github?.listening.url);
    const database = await pgliteDatabase(pglite);
    const pairs = () => readPairs(database);

    const readState = async (): Promise<DemoState> => {
      const [tasks, users, paired, issues] = await Promise.all([
        app.tasks(),
        app.users(),
        pairs(),
        github?.pane.issues() ?? readCachedIssues(database, repository),
      ]);
      return {
        mode: github === null ? "github" : "simulator",
        repository,
        repository_url: `https://github.com/${repository}`,
        statuses: TASK_STATUSES,
        users,
        tasks,
        issues,
        pairs: paired,
        troubles: troubles.list(),
        worker: worker.running ? "running" : "killed",
      };
    };
    const feed = stateFeed(readState);
    closing.push(() => feed.close());
    const troubles = createTroubles({
      app,
      worker,
      pairs,
      pollNow: () => tandem.syncNow(),
      github: github === null ? null : { ...github, repository },
      changed: () => feed.nudge(),
    });
    closing.push(() => troubles.stop());

    const pane = github?.pane ?? null;
    const site = new Hono();
    site.route("/demo", demoRoutes({ app, pane, troubles, feed }));
    site.get("/", servePage());
    site.all("*", (context) => tandem.fetch(context.req.raw, context.env));
    const { url, server } = await listen(site, options.port, host, log);
    closing.push(() => closeServer(server));

    github?.simulator.addHook({
      url: `${url}/webhooks/github`,
      secret: WEBHOOK_SECRET,
      repository,
    });
    worker.restart();
    // The demo must not post its sample tasks to a real repository.
    if (isFirstRun && github !== null) {
      await plantTasks(app);
      plantIssues(github.simulator, repository);
    }
    return { url, githubUrl: githubUrlOf(options, github?.listening), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Each repository has a database of its own: otherwise tasks from the simulator would be posted to the
 * real GitHub.
 */
function databaseDirectory({ dataDir, github }: DemoOptions): string | null {
  if (dataDir === null) return null;
  const side = github === null ? "simulator" : `github-${github.repository.replace("/", "-")}`;
  return join(dataDir, side);
}

async function openDirectory(directory: string | null): Promise<PGlite> {
  if (directory === null) return openPglite("memory://");
  await mkdir(directory, { recursive: true });
  return openPglite(directory);
}

async function startGitHub(
  { dataDir, githubPort, host, log }: DemoOptions,
  closing: (() => Promise<void> | void)[],
): Promise<{ simulator: GitHubSimulator; pane: GitHubPane; listening: Listening }> {
  // A random seed: with a fixed one, deliveries would repeat the ids of an earlier run and count as known.
  const simulator = createGitHubSimulator({ clock: systemClock, random: Math.random });
  // Always in this order, so that ids are the same after a restart.
  for (const login of ["mona", "ada", "grace"]) simulator.createUser({ login });
  simulator.token(TOKEN, { login: "tandem[bot]" });
  const [owner = "", name = ""] = REPOSITORY.split("/");
  simulator.createRepository({ owner, name });
  if (dataDir !== null) {
    rememberRepository(simulator, REPOSITORY, join(dataDir, "github.json"));
  }
  const listening = await onFreePort(githubPort, log, (port) => simulator.listen({ port, host }));
  closing.push(() => listening.close());
  return { simulator, pane: githubPane(simulator, REPOSITORY), listening };
}

/** The demo's secrets, without the process's own: it needs no token, because only this machine can use it. */
function environmentOf({ github }: DemoOptions): Readonly<Record<string, string>> {
  return { GITHUB_TOKEN: github?.token ?? TOKEN, WEBHOOK_SECRET };
}

async function connect(
  tandem: Tandem,
  { github }: DemoOptions,
  simulatorUrl: string | undefined,
): Promise<void> {
  const baseUrl = github === null ? simulatorUrl : github.baseUrl;
  await tandem.connect({
    account: {
      name: "demo",
      integration: "github",
      credentials: {
        token: { env: "GITHUB_TOKEN" },
        ...(baseUrl === undefined ? {} : { baseUrl }),
      },
      webhookSecret: { env: "WEBHOOK_SECRET" },
    },
    container: github?.repository ?? REPOSITORY,
    scope: PROJECT,
  });
}

function servePage() {
  const assets = dashboardAssets({ demo: true });
  return async (context: { req: { raw: Request } }): Promise<Response> =>
    (await assets("/", context.req.raw)) ?? new Response(null, { status: 404 });
}

async function listen(
  site: Hono,
  wanted: number,
  host: string,
  log: Log,
): Promise<{ url: string; server: ServerType }> {
  const server = createAdaptorServer({
    fetch: site.fetch,
    // A busy PGlite blocks this process for seconds, and connections must survive that.
    serverOptions: { keepAliveTimeout: KEEP_ALIVE_MS },
  });
  const port = await onFreePort(
    wanted,
    log,
    (candidate) =>
      new Promise<number>((resolve, reject) => {
        server.once("error", reject);
        server.listen(candidate, host, () => {
          server.off("error", reject);
          // A listening server has an address with a port.
          resolve((server.address() as AddressInfo).port);
        });
      }),
  );
  return { url: `http://${host}:${String(port)}`, server };
}

/** Tries the given port and the next ones. @throws Error if none of twenty is free. */
async function onFreePort<T>(
  wanted: number,
  log: Log,
  open: (port: number) => Promise<T>,
): Promise<T> {
  for (let port = wanted; ; port += 1) {
    try {
      return await open(port);
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || port >= wanted + 20) throw error;
      log.info({ port, next: port + 1 }, `port ${String(port)} is taken, trying the next`);
    }
  }
}

async function closeServer(server: ServerType): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // `close` waits for open streams, so end them.
  if ("closeAllConnections" in server) server.closeAllConnections();
  await closed;
}

function githubUrlOf({ github }: DemoOptions, listening: Listening | undefined): string {
  return listening?.url ?? github?.baseUrl ?? "https://api.github.com";
}
