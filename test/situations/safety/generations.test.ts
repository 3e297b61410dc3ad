/** Situation 54: workers of two generations of code, schema and mappings on one database. */
import { describe, expect, it } from "vitest";
import { sampleConfig } from "../../../src/demo/sample-config.ts";
import { createTandem } from "../../../src/server/tandem.ts";
import { openGitHub, openProject } from "../../cli/project.ts";
import { openTerminal } from "../../cli/terminal.ts";
import {
  databaseKinds,
  describeOnOneDatabase,
  type TestDatabase,
} from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Loops are real promises even where time is virtual. */
const PATIENTLY = { timeout: 60_000, interval: 20 };

describeOnOneDatabase("two generations on one database", (open) => {
  /** A sample app whose worker's complaints are kept. */
  async function given() {
    const database = await open();
    const said: { readonly code?: string; readonly hint?: string; readonly message: string }[] = [];
    const { log: kept, lines } = keptLog();
    const error = (details: object, message: string) => said.push({ ...details, message });
    const app = await givenSampleTandem(database, undefined, { log: { ...kept, error } });
    const codes = () => said.map(({ code }) => code);
    return { database, app, said, codes, lines };
  }

  it("S54: an old worker goes on beside a newer schema that says it may", async () => {
    const { app, codes } = await given();
    await app.sql(
      "insert into tandem.migrations (version, name, digest) values (9998, 'wider', 'x')",
    );
    await app.addTask({ title: "Old code" });
    const worker = app.tandem.startWorker({ name: "old" });
    await expect.poll(() => app.github.issues(app.repo).length, PATIENTLY).toBe(1);
    await worker.stop();
    await expectBoth(app, "Old code");
    expect(await app.story("direction=outbound")).toEqual(["outbound completed created_resource"]);
    expect(app.writes()).toBe(1);
    expect(codes()).toEqual([]);
    expect((await app.status()).misfit).toBeNull();
  });

  it("S54: on a schema that needs newer code it stops, says so, and goes on when it fits again", async () => {
    const { app, said, lines } = await given();
    await app.addTask({ title: "Waits" });
    await app.sql(
      "insert into tandem.migrations (version, name, digest, needs) values (9999, 'narrower', 'x', 9998)",
    );
    const worker = app.tandem.startWorker({ name: "old" });
    await expect.poll(() => said.length, PATIENTLY).toBe(1);
    expect(said).toMatchObject([
      {
        message: "this worker has stopped claiming",
        code: "schema_newer",
        hint: expect.stringContaining("the version of Tandem") as unknown,
      },
    ]);
    expect((await app.status()).misfit).toMatchObject({ code: "schema_newer" });
    // Nothing was taken: the write is still as it was captured.
    expect(await app.status()).toMatchObject({ undrained: 1 });
    await expectUntouched(app);

    await app.sql("delete from tandem.migrations where version = 9999");
    await app.advance(2_000);
    await expect.poll(() => app.github.issues(app.repo).length, PATIENTLY).toBe(1);
    await worker.stop();
    await expectBoth(app, "Waits");
    expect(await app.story("direction=outbound")).toEqual(["outbound completed created_resource"]);
    expect(app.writes()).toBe(1);
    expect(said).toHaveLength(1);
    const fits = "code, mappings and schema fit again; this worker continues";
    expect(lines.filter(({ message }) => message === fits)).toHaveLength(1);
  });

  it("S54: a new worker on an old schema says that it is to be migrated", async () => {
    const { app, said } = await given();
    await app.addTask({ title: "Waits" });
    await app.sql(
      "delete from tandem.migrations where version = (select max(version) from tandem.migrations)",
    );
    const worker = app.tandem.startWorker({ name: "new" });
    await expect.poll(() => said.length, PATIENTLY).toBe(1);
    expect(said).toMatchObject([
      { code: "schema_older", hint: expect.stringContaining("tandem migrate") as unknown },
    ]);
    expect(await app.status()).toMatchObject({ undrained: 1, misfit: { code: "schema_older" } });
    await worker.stop();
    await expectUntouched(app);
  });

  it("S54: a worker with other mappings than were migrated last stops, and says so", async () => {
    const { database, app, said } = await given();
    const other = await createTandem(withoutBodies(database));
    await other.migrate();
    await app.addTask({ title: "Waits" });
    const worker = app.tandem.startWorker({ name: "old mappings" });
    await expect.poll(() => said.length, PATIENTLY).toBe(1);
    expect(said).toMatchObject([{ code: "mapping_differs" }]);
    expect(await app.status()).toMatchObject({ undrained: 1 });
    expect(await other.services.store.schemaMismatch()).toBeNull();
    await worker.stop();
    await expectUntouched(app);
    if (database.kind === "postgres") await other.stop();
  });
});

/** The task and its one issue. */
async function expectBoth(app: SampleTandem, title: string): Promise<void> {
  expect(await app.task()).toMatchObject({ title, status: "todo" });
  expect(app.github.issues(app.repo)).toMatchObject([{ title, state: "open" }]);
}

/** The task is as it was written; nothing was made of it, and GitHub was asked nothing. */
async function expectUntouched(app: SampleTandem): Promise<void> {
  expect(await app.task()).toMatchObject({ title: "Waits", status: "todo" });
  expect(app.github.issues(app.repo)).toEqual([]);
  expect(await app.events()).toEqual([]);
  expect(app.github.calls({})).toBe(0);
}

/** The sample app, as a later deployment maps it. */
function withoutBodies(database: TestDatabase) {
  const config = sampleConfig(database.pglite ?? database.url ?? "");
  const { tasks } = config.records;
  const issue = tasks.sync?.["github.issue"];
  if (issue === undefined) throw new Error("the sample maps its tasks");
  const { title, status } = issue.fields;
  const narrower = { ...issue, fields: { title, status } };
  return { ...config, records: { tasks: { ...tasks, sync: { "github.issue": narrower } } } };
}

describe.each(databaseKinds)("tandem work on %s", (kind) => {
  it("S54: does not start on a schema that needs newer code, says why, and works when it fits again", async () => {
    const project = await openProject(kind);
    const { simulator: github, listening } = await openGitHub();
    const terminal = openTerminal({ cwd: project.folder, env: { GITHUB_TOKEN: "bot-token" } });
    await terminal.json("migrate");
    const connect = ["connect", "github", "acme/site", "--scope", "1"];
    await terminal.json(...connect, "--base-url", listening.url);
    await project.sql("insert into tasks (project_id, title) values (1, 'Waits')");
    await project.sql("update tandem.migrations set needs = 9999 where version = 1");
    github.clearRequests();
    const tasks = () => project.sql("select id::text, title, status from tasks");
    const events = () =>
      project.sql("select direction, state, reason, record_id from tandem.events");
    const task = { id: "1", title: "Waits", status: "todo" };

    const { code, err } = await terminal.tandem("work", "--once", "--json");
    expect(code).toBe(4);
    expect(JSON.parse(err)).toMatchObject({ error: { code: "schema_newer" } });
    const status = await terminal.json<{ misfit: { code: string } | null }>("status");
    expect(status.misfit).toMatchObject({ code: "schema_newer" });
    expect(await tasks()).toEqual([task]);
    expect(github.issues("acme/site")).toEqual([]);
    expect(await events()).toEqual([]);
    expect(github.calls()).toBe(0);

    await project.sql("update tandem.migrations set needs = 0 where version = 1");
    expect(await terminal.tandem("work", "--once")).toMatchObject({ code: 0, err: "" });
    expect(await tasks()).toEqual([task]);
    expect(github.issues("acme/site")).toMatchObject([
      { number: 1, title: "Waits", state: "open" },
    ]);
    expect(await events()).toEqual([
      {
        direction: "outbound",
        state: "completed",
        reason: "created_resource",
        record_id: task.id,
      },
    ]);
    expect(github.calls({ writes: true })).toBe(1);
    // A worker that works once polls once.
    expect(github.requests.map(({ method }) => method)).toEqual(["POST", "GET"]);
    await listening.close();
    await project.remove();
  });
});
