/** Decisions for a person are above everything else on the page, with a button for each. */
import { PGlite } from "@electric-sql/pglite";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/cli/context/http-server.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import type { Connection } from "../../src/model/connection.ts";
import type { Tandem } from "../../src/server/tandem.ts";
import { systemClock } from "../../src/runtime/services/system-clock.ts";
import { createGitHubSimulator, type GitHubSimulator } from "../../src/testing/github/index.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { builtModules } from "./built-demo.ts";
import { findChromium, launchChromium } from "./chromium.ts";

const chromium = findChromium();
const title =
  chromium === null ? "decisions for a person (no Chromium here)" : "decisions for a person";
const REPOSITORY = "acme/site";

describe.skipIf(chromium === null)(title, () => {
  let pglite: PGlite;
  let github: GitHubSimulator;
  let tandem: Tandem;
  let server: HttpServer;
  let browser: Browser;
  let page: Page;
  let connection: Connection;

  beforeAll(async () => {
    const { createTandem, sampleConfig, startHttpServer } = await builtModules();
    pglite = await PGlite.create();
    await pglite.exec(`${SAMPLE_SCHEMA}; insert into projects (name) values ('Site');
      insert into tasks (project_id, title) select 1, 'Task ' || n from generate_series(1, 3) n`);
    github = createGitHubSimulator({ clock: systemClock, random: seededRandom(1) });
    github.createRepository({ owner: "acme", name: "site" });
    github.token("bot-token", { login: "tandem[bot]" });
    const config = { ...sampleConfig(pglite), safety: { blastRadius: { records: 1, share: 0.1 } } };
    tandem = await createTandem(config, {
      fetch: github.fetch,
      environment: { GITHUB_TOKEN: "bot-token" },
    });
    await tandem.migrate();
    connection = await tandem.connect({
      account: {
        name: "acme",
        integration: "github",
        credentials: { token: { env: "GITHUB_TOKEN" }, baseUrl: github.apiUrl },
      },
      container: REPOSITORY,
      scope: "1",
    });
    server = await startHttpServer(tandem.fetch, { host: "127.0.0.1", port: 0 });
    browser = await launchChromium(chromium ?? "");
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    await tandem.stop();
    await pglite.close();
  });

  const attention = () => page.getByRole("region", { name: "Needs attention" });

  it("shows how far a backfill is while it goes on, and nothing of it afterwards", async () => {
    await tandem.backfill(connection.id);
    await page.goto(server.url);
    const line = page.getByRole("region", { name: "Backfills" });
    await line.getByText("listing resources: 0 listed").first().waitFor();
    expect(await line.getByRole("progressbar").count()).toBeGreaterThan(0);

    await tandem.settle();
    await line.waitFor({ state: "detached" });
    expect(github.issues(REPOSITORY)).toHaveLength(3);
  });

  it("a run that would overwrite much is held until somebody approves it on the page", async () => {
    await pglite.exec(`set session_replication_role = replica;
      update tasks set title = 'Old ' || id; reset session_replication_role`);
    await tandem.sweepRecordsNow();
    await pglite.exec("insert into tasks (project_id, title) values (1, 'Goes on meanwhile')");
    await tandem.settle();
    await attention().getByRole("heading", { name: "1 run waiting for approval" }).waitFor();
    await attention().getByText("local sweep").waitFor();
    await page.getByText("A person must decide", { exact: true }).waitFor();

    await attention()
      .getByRole("button", { name: /^Approve / })
      .click();
    await attention().waitFor({ state: "detached" });
    await tandem.sweepRecordsNow();
    await tandem.settle();
    const titles = github.issues(REPOSITORY).map((issue) => issue.title);
    expect(titles.sort()).toEqual(["Goes on meanwhile", "Old 1", "Old 2", "Old 3"]);
  });

  it("a connection whose polls fail says why, and how many records nothing looks at", async () => {
    await pglite.exec(`update tandem.connections set untracked_records = 3,
      poll_error = 'GitHub did not answer within 10 seconds, as a proxy between the two may be down'`);
    await page.goto(server.url);
    const connections = page.getByRole("list", { name: "Connections" });
    await connections.getByText("polls fail: GitHub did not answer").waitFor();
    await connections.getByText("3 untracked records: tandem reconcile acme/site").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(1280);
  });
});
