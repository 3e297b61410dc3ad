/** Bringing two sides in step that were apart: backfill, reconcile, a held run, a copied database. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {
  ApiBackfills,
  ApiExplanation,
  ApiHeldRun,
  ApiReconciliation,
  ApiStatus,
} from "../../src/server/protocol/api-types.ts";
import { databaseKinds } from "../harness/databases.ts";
import { openGitHub, openProject, type Project, type SimulatedGitHub } from "./project.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

const REPOSITORY = "acme/site";

// One database is enough, Postgres by choice: `story.test.ts` tells how commands open each of the
// two, which takes a second for every command on PGlite.
describe.each(databaseKinds.slice(-1))("a project that existed on both sides, on %s", (kind) => {
  let project: Project;
  let github: SimulatedGitHub;
  let terminal: Terminal;
  let staging: Terminal;
  let begun: Awaited<ReturnType<Terminal["tandem"]>>;
  let worked: Awaited<ReturnType<Terminal["tandem"]>>;

  beforeAll(async () => {
    project = await openProject(kind, {
      top: "safety: { blastRadius: { records: 1, share: 0.3 } },",
      sync: 'pairBy: "title",',
    });
    github = await openGitHub();
    const env = { GITHUB_TOKEN: "bot-token" };
    terminal = openTerminal({
      cwd: project.folder,
      env: { ...env, TANDEM_INSTANCE_ID: "production" },
    });
    staging = openTerminal({ cwd: project.folder, env: { ...env, TANDEM_INSTANCE_ID: "staging" } });
    await project.sql(`insert into tasks (project_id, title) values
      (1, 'Mend the footer'), (1, 'Mend the header'), (1, 'Choose a font')`);
    const mona = github.simulator.as("mona");
    mona.openIssue(REPOSITORY, { title: "Mend the footer" });
    mona.openIssue(REPOSITORY, { title: "Mend the header" });
    mona.openIssue(REPOSITORY, { title: "Broken link" });
    await terminal.json("migrate");
    const target = ["connect", "github", REPOSITORY, "--base-url", github.listening.url];
    await terminal.json(...target, "--scope", "1");
    begun = await terminal.tandem("backfill", REPOSITORY);
    worked = await terminal.tandem("work", "--once");
  });

  afterAll(async () => {
    await github.listening.close();
    await project.remove();
  });

  const issueTitles = () => github.simulator.issues(REPOSITORY).map(({ title }) => title);
  const taskTitles = async () =>
    (await project.sql<{ title: string }>("select title from tasks order by id")).map(
      ({ title }) => title,
    );

  it("is paired by title, and each side gets what only the other had", async () => {
    expect(begun).toMatchObject({ code: 0, err: "" });
    expect(begun.out).toContain("[....................]");
    expect(begun.out).toContain(
      "Workers run the backfill; run this command again to see its progress.\n",
    );

    expect(worked.code).toBe(0);
    expect(await terminal.json<ApiBackfills>("backfill")).toMatchObject({
      backfills: [{ resource_type: "issue", step: "done", listed: 3, paired: 2, created: 1 }],
    });
    expect((await terminal.tandem("backfill")).out).toContain("[####################]");
    expect(await taskTitles()).toEqual([
      ...["Mend the footer", "Mend the header", "Choose a font", "Broken link"],
    ]);
    expect(issueTitles()).toEqual([
      ...["Mend the footer", "Mend the header", "Broken link", "Choose a font"],
    ]);
  });

  it("a dry run prints what the live run then does, and does nothing", async () => {
    github.simulator.faults.webhooks.drop = 1;
    github.simulator.as("mona").editIssue(REPOSITORY, 1, { title: "Mend the footer today" });
    github.simulator.clearRequests();
    const planned = await terminal.json<ApiReconciliation>("reconcile", REPOSITORY, "--dry-run");
    expect(github.simulator.calls({ method: "PATCH" })).toBe(0);
    expect((await taskTitles())[0]).toBe("Mend the footer");
    const said = await terminal.tandem("reconcile", REPOSITORY, "--dry-run");
    expect(said.out).toContain('title: "Mend the footer" -> "Mend the footer today"');
    expect(said.out).toMatch(/4 resources listed, 1 difference\. Nothing was changed\.\n$/);

    const done = await terminal.json<ApiReconciliation>("reconcile", REPOSITORY);
    expect(done).toEqual({ ...planned, applied: true });
    await terminal.tandem("work", "--once");
    expect((await taskTitles())[0]).toBe("Mend the footer today");
    expect((await terminal.tandem("reconcile", REPOSITORY)).out).toBe(
      "4 resources listed, 0 differences.\n",
    );
  });

  it("a run that would overwrite much waits for a person, who says no or yes", async () => {
    // As from a backup of the application's tables: no trigger saw it.
    await project.sql(`set session_replication_role = replica;
      update tasks set title = 'Old ' || id where id in (1, 2); reset session_replication_role`);
    const waits = await terminal.tandem("reconcile", REPOSITORY);
    expect(waits.out).toContain("would delete or overwrite many records and wait for approval");
    const [run] = (await terminal.json<ApiStatus>("status")).held_runs;
    expect(run).toMatchObject({ state: "held", connection: REPOSITORY });
    const id = run?.id ?? "";
    const shown = (await terminal.tandem("status")).out;
    expect(shown).toContain("Waiting for approval: 1 run\n");
    expect(shown).toContain(`tandem approve ${id}   or   tandem approve ${id} --reject\n`);

    expect((await terminal.tandem("approve", id, "--reject")).out).toBe(
      `Run ${id} is rejected and stays undone.\n`,
    );
    expect((await terminal.tandem("approve", "999")).err).toContain("999");
    expect(await terminal.json<ApiHeldRun>("approve", id)).toMatchObject({ id, state: "approved" });
    await terminal.json("reconcile", REPOSITORY);
    await terminal.tandem("work", "--once");
    expect(issueTitles().slice(0, 2)).toEqual(["Old 1", "Old 2"]);
    expect((await terminal.json<ApiStatus>("status")).held_runs).toEqual([]);
  });

  it("a copy on another host posts nothing until it is approved, nor then what may exist already", async () => {
    await project.sql(
      "insert into tasks (project_id, title) values (1, 'Written before the copy')",
    );
    const refused = await staging.tandem("work", "--once", "--json");
    expect(refused.code).toBe(6);
    expect(JSON.parse(refused.err.trim().split("\n").at(-1) ?? "")).toMatchObject({
      error: { code: "foreign_instance" },
    });
    const said = await staging.tandem("work", "--once");
    expect(said.err).toContain("belongs to the instance production");
    expect(said.err).toContain("tandem approve instance");
    expect((await staging.tandem("status")).out).toContain("No event is processed\n");

    expect((await staging.tandem("approve", "instance")).code).toBe(0);
    await staging.tandem("work", "--once");
    expect(issueTitles()).not.toContain("Written before the copy");
    const { disabled_pairings: off } = await staging.json<ApiStatus>("status");
    expect(off.first).toMatchObject([{ why: expect.stringContaining("restored") }]);
    const record = off.first[0]?.record_id ?? "";
    expect((await staging.tandem("status")).out).toContain(`tandem enable tasks ${record}\n`);

    expect((await staging.tandem("enable", "tasks", record)).out).toBe(
      `tasks ${record} is enabled; Tandem reads its resource first.\n`,
    );
    await staging.tandem("work", "--once");
    expect(issueTitles()).toContain("Written before the copy");
    const explained = await staging.json<ApiExplanation>("explain", "tasks", record);
    expect(explained.pairings).toMatchObject([{ connection: REPOSITORY, in_sync: true }]);
  });

  it("a database that was recovered in place is noticed by the next command, until it is approved", async () => {
    await staging.tandem("approve", "instance");
    await staging.tandem("work", "--once");
    // As it was before anybody was at work on it.
    await project.sql("delete from tandem.beats");
    const refused = await staging.tandem("work", "--once");
    expect(refused.code).toBe(6);
    expect(refused.err).toContain("this database was set back");
    expect(refused.err).toContain("tandem approve instance");
    expect((await staging.tandem("status")).out).toContain("this database was set back");

    expect((await staging.tandem("approve", "instance")).code).toBe(0);
    expect((await staging.tandem("work", "--once")).code).toBe(0);
    expect((await staging.json<ApiStatus>("status")).foreign_instance).toBeNull();
  });
});
