/** `start`, `serve` and `work` run until they are interrupted; meanwhile others ask them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiExplanation, ApiStatus } from "../../src/server/protocol/api-types.ts";
import { databaseKinds } from "../harness/databases.ts";
import { openGitHub, openProject, type Project, type SimulatedGitHub } from "./project.ts";
import { openTerminal, type Running, type Terminal } from "./terminal.ts";

const SECRET = "a webhook secret";

interface Serving {
  readonly url: string;
  readonly webhooks: { readonly github: string };
}

/** Under load a worker may be slow to get its turn. */
const PATIENTLY = { timeout: 30_000 };

describe.runIf(databaseKinds.includes("pglite"))("on PGlite", () => {
  let project: Project;
  let github: SimulatedGitHub;
  let terminal: Terminal;
  let lockFile: string;

  beforeAll(async () => {
    project = await openProject("pglite");
    github = await openGitHub();
    terminal = openTerminal({
      cwd: project.folder,
      env: { GITHUB_TOKEN: "bot-token", HOOK_SECRET: SECRET },
    });
    lockFile = join(project.folder, ".tandem", "data.lock");
    expect((await terminal.tandem("migrate")).code).toBe(0);
    const connected = await terminal.tandem(
      ...["connect", "github", "acme/site", "--scope=1", "--webhook-secret-env=HOOK_SECRET"],
      `--base-url=${github.listening.url}`,
    );
    expect(connected.out).toContain("Set the webhook's address to /webhooks/github");
  });

  afterAll(async () => {
    await github.listening.close();
    await project.remove();
  });

  async function failure(...argv: string[]): Promise<unknown> {
    const { code, err } = await terminal.tandem(...argv, "--json");
    // Failures are one line of JSON.
    return { exit: code, ...(JSON.parse(err) as { error: object }).error };
  }

  async function begin(...argv: string[]): Promise<{ running: Running; serving: Serving }> {
    const running = terminal.start(...argv, "--port=0", "--log-level=silent", "--json");
    return { running, serving: JSON.parse(await running.answered) as Serving };
  }

  describe("start", () => {
    it("syncs, serves, is asked by other commands, and stops when interrupted", async () => {
      const { running, serving } = await begin("start");
      expect(serving).toMatchObject({ database: "pglite", working: true });
      expect(JSON.parse(readFileSync(lockFile, "utf8"))).toEqual({
        pid: process.pid,
        url: serving.url,
      });

      github.simulator.addHook({ url: serving.webhooks.github, secret: SECRET });
      github.simulator.as("mona").openIssue("acme/site", { title: "By webhook" });
      await github.simulator.idle();
      expect(github.simulator.deliveries).toMatchObject([{ statusCode: 202 }]);
      await expect
        .poll(
          () => terminal.json<ApiExplanation>("explain", "tasks", "1").catch(() => null),
          PATIENTLY,
        )
        .toMatchObject({ pairings: [{ in_sync: true, integration_external_id: "1" }] });

      const status = await terminal.tandem("status");
      expect(status.out).toMatch(/^Tandem .+ on pglite, server at http:\S+ with workers\n/);
      expect(await terminal.json<ApiStatus>("status", "--url", serving.url)).toMatchObject({
        working: true,
      });
      expect(await terminal.json("pause", "acme/site")).toMatchObject({ inbound: false });
      expect(await terminal.json("enable", "acme/site")).toMatchObject({ inbound: true });

      const page = await fetch(serving.url);
      expect(page.status).not.toBe(404);

      running.interrupt();
      expect(await running.ended).toMatchObject({ code: 0 });
      expect(existsSync(lockFile)).toBe(false);
      await expect(fetch(serving.url)).rejects.toThrow("fetch failed");
      expect(await project.sql("select title from tasks")).toEqual([{ title: "By webhook" }]);
    });

    it("refuses what needs the database itself, and says who has it", async () => {
      const { running, serving } = await begin("serve");
      for (const argv of [["migrate"], ["work", "--once"], ["start"], ["serve", "--port=0"]]) {
        expect(await failure(...argv)).toEqual({
          exit: 6,
          code: "server_running",
          message: expect.stringContaining(serving.url),
          hint: expect.stringContaining("stop the server first"),
        });
      }
      running.interrupt();
      expect((await running.ended).code).toBe(0);
    });

    it("ends an open stream when it stops", async () => {
      const { running, serving } = await begin("start");
      const stream = await fetch(`${serving.url}/api/stream`);
      const reader = stream.body?.getReader();
      expect((await reader?.read())?.done).toBe(false);
      running.interrupt();
      expect((await running.ended).code).toBe(0);
    });

    it("says where things are, and opens the browser on a terminal only", async () => {
      const { running } = await begin("start");
      running.interrupt();
      await running.ended;
      expect(terminal.opened).toEqual([]);

      const env = { GITHUB_TOKEN: "bot-token" };
      const watched = openTerminal({ cwd: project.folder, env, isTTY: true });
      const first = watched.start("start", "--port=0", "--log-level=silent");
      const said = await first.answered;
      expect(said).toMatch(/dashboard .*http:\/\/127\.0\.0\.1:\d+/);
      expect(said).toMatch(/webhooks {3}http:\S+\/webhooks\/github/);
      first.interrupt();
      await first.ended;
      expect(watched.opened).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)]);

      const inCi = openTerminal({ cwd: project.folder, env: { ...env, CI: "true" }, isTTY: true });
      const second = inCi.start("start", "--port=0", "--log-level=silent");
      await second.answered;
      second.interrupt();
      await second.ended;
      expect(inCi.opened).toEqual([]);
    });

    it("gives the database back where its port is taken", async () => {
      const { port } = github.listening;
      expect(await failure("start", `--port=${port}`)).toMatchObject({
        exit: 6,
        code: "port_taken",
      });
      expect(existsSync(lockFile)).toBe(false);
      expect((await terminal.tandem("status")).code).toBe(0);
    });
  });

  describe("an API token", () => {
    it("is needed before the server listens where others reach it", async () => {
      for (const host of ["0.0.0.0", "::", "192.0.2.7"]) {
        for (const command of ["serve", "start"]) {
          const refused = await failure(command, "--port=0", `--host=${host}`);
          expect(refused).toMatchObject({ exit: 2, code: "token_needed" });
        }
      }
    });

    it("is asked of everybody, and sent by commands that know it", async () => {
      const knowing = openTerminal({
        cwd: project.folder,
        env: { GITHUB_TOKEN: "bot-token", TANDEM_API_TOKEN: "api-token" },
      });
      const running = knowing.start("serve", "--port=0", "--json");
      await running.answered;
      expect(await failure("status")).toMatchObject({ exit: 6, code: "no_token" });
      expect((await knowing.tandem("status")).code).toBe(0);
      running.interrupt();
      await running.ended;
    });
  });

  describe("work", () => {
    it("works until it is interrupted; meanwhile the database is its own", async () => {
      await project.sql("insert into tasks (project_id, title) values (1, 'By a worker')");
      const running = terminal.start("work", "--concurrency=2", "--log-level=silent");
      expect(await running.answered).toContain("up to 2 events");
      await expect
        .poll(() => github.simulator.issues("acme/site").map(({ title }) => title), PATIENTLY)
        .toContain("By a worker");
      expect(await failure("status")).toMatchObject({ exit: 4, code: "data_directory_busy" });
      running.interrupt();
      expect((await running.ended).code).toBe(0);
    });
  });

  describe("a server that is named and does not answer", () => {
    it("is said to, and the lock is left alone", async () => {
      const url = "http://127.0.0.1:1";
      expect(await failure("status", "--url", url)).toMatchObject({
        exit: 4,
        code: "server_unreachable",
      });
      // The parent of this process lives, and is no Tandem.
      const lock = JSON.stringify({ pid: process.ppid, url });
      writeFileSync(lockFile, lock);
      expect(await failure("status")).toMatchObject({ exit: 4, code: "server_unreachable" });
      expect(readFileSync(lockFile, "utf8")).toBe(lock);
    });

    it("or is no Tandem", async () => {
      expect(await failure("status", "--url", github.listening.url)).toMatchObject({
        exit: 1,
        code: "not_tandem",
      });
    });
  });
});
