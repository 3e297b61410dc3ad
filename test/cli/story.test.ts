/** From an empty project to an explained record, one command after the other, as a user would. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiEvents, ApiExplanation, ApiStatus } from "../../src/server/protocol/api-types.ts";
import { kindsForDecisions } from "../harness/database-kinds.ts";
import { openGitHub, openProject, type Project, type SimulatedGitHub } from "./project.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

interface Told {
  readonly exit: number;
  readonly code: string;
}

// On PGlite each command opens the folder again, which takes ten times as long.
describe.each(kindsForDecisions(process.env.TANDEM_TEST_DATABASES))("the CLI on %s", (kind) => {
  let project: Project;
  let github: SimulatedGitHub;
  let terminal: Terminal;
  let connect: string[];

  beforeAll(async () => {
    project = await openProject(kind);
    github = await openGitHub();
    terminal = openTerminal({
      cwd: project.folder,
      env: { GITHUB_TOKEN: "bot-token", GITHUB_WRONG: "no-token", APP_SECRET: "not for accounts" },
    });
    connect = ["connect", "github", "acme/site", "--base-url", github.listening.url];
  });

  afterAll(async () => {
    await github.listening.close();
    await project.remove();
  });

  async function refused(...argv: string[]): Promise<Told> {
    const { code, err } = await terminal.tandem(...argv, "--json");
    // Failures are one line of JSON.
    return { exit: code, code: (JSON.parse(err) as { error: { code: string } }).error.code };
  }

  async function asksForAMigration(): Promise<void> {
    expect(await refused("status")).toEqual({ exit: 4, code: "not_migrated" });
    expect(await refused("work", "--once")).toEqual({ exit: 4, code: "not_migrated" });
  }

  /** It says what it applied, and the second time that there was nothing. */
  async function migrates(): Promise<void> {
    const first = await terminal.tandem("migrate");
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(first.out).toMatch(/^Applied \d+ migrations?:\n {2}0001 {2}ledger\n/);
    expect(await terminal.json("migrate")).toEqual({
      applied: [],
      version: expect.any(Number),
      tables: ["tasks", "users"],
    });
  }

  async function refusesWhatCannotConnect(): Promise<void> {
    const wrong = [...connect, "--scope", "1", "--token-env"];
    expect(await refused(...wrong, "APP_SECRET")).toEqual({ exit: 3, code: "secret_not_allowed" });
    expect(await refused(...wrong, "GITHUB_ABSENT")).toEqual({ exit: 3, code: "missing_secret" });
    expect(await refused(...wrong, "GITHUB_WRONG")).toEqual({ exit: 7, code: "bad_credentials" });
    expect(
      await refused("connect", "github", "acme/nope", ...connect.slice(3), "--scope=1"),
    ).toEqual({ exit: 5, code: "repository_not_found" });
    expect(await refused("connect", "redmine", "site", "--scope=1")).toEqual({
      exit: 2,
      code: "unknown_integration",
    });
    expect(await refused(...connect, "--scope=1", "--app-id=7")).toEqual({
      exit: 2,
      code: "credentials_incomplete",
    });
  }

  /** It says who we are, and keeps no secret. */
  async function connects(): Promise<void> {
    expect(await terminal.json(...connect, "--scope", "1")).toEqual({
      connection: {
        id: expect.any(String),
        integration: "github",
        account: "acme",
        container: "acme/site",
        containerId: expect.stringMatching(/^\d+$/),
        scope: "1",
      },
      identity: { id: expect.any(String), login: "tandem[bot]" },
    });
    const [account] = await project.sql<{ credentials: unknown }>(
      "select credentials from tandem.accounts",
    );
    expect(account?.credentials).toEqual({
      token: { env: "GITHUB_TOKEN" },
      baseUrl: github.listening.url,
    });
    const again = await terminal.tandem("connect", "github", "acme/site", "--scope", "1");
    expect(again.out).toMatch(
      /^Connected acme\/site \(github \d+\) to scope 1, as tandem\[bot\]\.\n/,
    );
  }

  /** SQL wrote the row. It is explained. */
  async function bringsARowToGitHub(): Promise<void> {
    await project.sql("insert into tasks (project_id, title) values (1, 'Mend the footer')");
    const worked = await terminal.tandem("work", "--once");
    expect(worked).toMatchObject({ code: 0, err: "" });
    expect(worked.out).toContain("0 queued, 0 errored");
    expect(github.simulator.issues("acme/site")).toMatchObject([
      { title: "Mend the footer", state: "open" },
    ]);

    const { out } = await terminal.tandem("explain", "tasks", "1");
    expect(out).toContain("acme/site  github_issues 1\n");
    expect(out).toContain("Both sides agree");
    expect(out).toContain("The app wrote the record.\n");
    expect(out).toContain("completed: A resource was created from the record.\n");
    expect(out).toContain('the resource\'s title: nothing → "Mend the footer"\n');

    const explained = await terminal.json<ApiExplanation>("explain", "tasks", "1");
    expect(explained).toMatchObject({
      record_type: "tasks",
      record_id: "1",
      pairings: [{ connection: "acme/site", in_sync: true, integration_external_id: "1" }],
    });
  }

  async function bringsAnIssueToTheApp(): Promise<void> {
    github.simulator.as("mona").openIssue("acme/site", { title: "Broken link" });
    expect((await terminal.tandem("work", "--once")).code).toBe(0);
    expect(await project.sql("select title from tasks order by id")).toEqual([
      { title: "Mend the footer" },
      { title: "Broken link" },
    ]);
  }

  /** By filter, and one whole. */
  async function listsEvents(): Promise<void> {
    const all = await terminal.json<ApiEvents>("events");
    expect(all.events.map(({ direction }) => direction)).toContain("inbound");
    const { events } = await terminal.json<ApiEvents>(
      ...["events", "list", "--record", "tasks:1", "--direction", "outbound"],
      ...["--state", "completed", "--connection", "acme/site", "--limit", "5"],
    );
    expect(events).toMatchObject([{ record_id: "1", reason: "created_resource" }]);
    const id = events[0]?.id ?? "";

    const table = await terminal.tandem("events", "--record", "tasks:1", "--limit", "1");
    expect(table.out).toMatch(/^TIME +STATE +WAY +RECORD +RESOURCE +REASON +EVENT\n/);
    expect(table.out).toMatch(/More: --before [0-9a-f-]{36}\n$|completed/);

    const shown = await terminal.tandem("events", "show", id);
    expect(shown.out).toContain(`event ${id}\n`);
    expect(shown.out).toContain("outbound, upsert, seen by change");
    expect(await terminal.json("events", "show", id)).toMatchObject({ id, attempts: 1 });
    expect((await terminal.tandem("events", "--state", "errored")).out).toBe("No events.\n");
  }

  async function refusesToMoveHistory(): Promise<void> {
    const { events } = await terminal.json<ApiEvents>("events", "--state", "completed");
    const id = events[0]?.id ?? "";
    expect(await refused("events", "restart", id)).toEqual({ exit: 6, code: "wrong_state" });
    expect(await refused("events", "cancel", id)).toEqual({ exit: 6, code: "wrong_state" });
    expect(await refused("events", "show", "7")).toEqual({ exit: 2, code: "bad_id" });
    expect(await refused("explain", "tasks", "99")).toEqual({ exit: 5, code: "not_paired" });
    // The next step is a command, not a request.
    const shown = await terminal.tandem("events", "show", "7");
    expect(shown.err).toContain("fix: An event's id is a UUID; `tandem events` lists them.");
    const missing = await terminal.tandem("events", "show", "0196ffff-0000-7000-8000-000000000001");
    expect(missing.err).toContain("fix: List them with `tandem events`.");
    expect(await refused("pause", "acme/nope")).toEqual({ exit: 5, code: "no_connection" });
  }

  async function restartsAFailedEvent(): Promise<void> {
    github.simulator.failNext({ method: "PATCH", with: 422 });
    await project.sql("update tasks set title = 'Mend the header' where id = 1");
    await terminal.tandem("work", "--once", "--log-level", "silent");
    const { events } = await terminal.json<ApiEvents>("events", "--state", "errored");
    expect(events).toMatchObject([{ record_id: "1", state: "errored" }]);
    expect((await terminal.tandem("explain", "tasks", "1")).out).toMatch(/Failed: .+[^]+ fix: /);

    const restarted = await terminal.json("events", "restart", events[0]?.id ?? "");
    expect(restarted).toMatchObject({ state: "queued" });
    await terminal.tandem("work", "--once");
    expect(github.simulator.issue("acme/site", 1)?.title).toBe("Mend the header");
  }

  /** It goes on where it was enabled again. */
  async function pausesAConnection(): Promise<void> {
    const paused = await terminal.tandem("pause", "acme/site");
    expect(paused).toMatchObject({ code: 0, out: "acme/site (scope 1) is paused.\n" });
    await project.sql("update tasks set title = 'While paused' where id = 1");
    await terminal.tandem("work", "--once");
    expect(github.simulator.issue("acme/site", 1)?.title).toBe("Mend the header");
    expect(await terminal.json<ApiStatus>("status")).toMatchObject({
      database: kind,
      connections: [{ container: "acme/site", inbound: false, outbound: false }],
      live: { disabled: 1 },
    });
    expect((await terminal.tandem("status")).out).toMatch(/acme\/site +scope 1 +paused: /);

    await terminal.json("enable", "acme/site");
    await terminal.tandem("work", "--once");
    expect(github.simulator.issue("acme/site", 1)?.title).toBe("While paused");
    expect((await terminal.tandem("status")).out).toMatch(
      /acme\/site +scope 1 +both directions on/,
    );
  }

  it("leads from an empty project to an explained record, through a failure and a pause", async () => {
    await asksForAMigration();
    await migrates();
    await refusesWhatCannotConnect();
    await connects();
    await bringsARowToGitHub();
    await bringsAnIssueToTheApp();
    await listsEvents();
    await refusesToMoveHistory();
    await restartsAFailedEvent();
    await pausesAConnection();
    // No command leaves the lock of an embedded database behind.
    expect(existsSync(join(project.folder, ".tandem", "data.lock"))).toBe(false);
  });
});
