/** Changes that triggers cannot see: a load with triggers off, TRUNCATE, rows that were put back. */
import { expect, it } from "vitest";
import { localSweepDue } from "../../../src/runtime/reconcile/local-sweep.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { withPoison } from "../../harness/sample-hooks.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { tally } from "../../harness/tally.ts";

type Rest<All extends readonly unknown[]> = All extends [unknown, ...infer Others] ? Others : never;

const DAY = 24 * 3_600_000;

/** Writes where no trigger fires, as replication and a restore do. */
async function unseen(app: SampleTandem, sql: string): Promise<void> {
  await app.sql(`begin; set local session_replication_role = replica; ${sql}; commit`);
}

async function givenTasks(
  database: TestDatabase,
  many: number,
  ...more: Rest<Parameters<typeof givenSampleTandem>>
) {
  const app = await givenSampleTandem(database, ...more);
  for (let number = 1; number <= many; number += 1) await app.addTask({ title: `T${number}` });
  await app.settle();
  expect(app.github.issues(app.repo)).toHaveLength(many);
  app.github.clearRequests();
  return app;
}

/** A worker's look at what is due. */
async function look(app: SampleTandem): Promise<void> {
  await localSweepDue(app.tandem.services, DAY);
  await app.settle();
}

async function say(app: SampleTandem, word: "approve" | "reject", run?: string): Promise<number> {
  const id = run ?? (await heldRun(app));
  const url = `http://localhost/api/runs/${id}/${word}`;
  const response = await app.tandem.fetch(
    new Request(url, { method: "POST", headers: { "content-type": "application/json" } }),
  );
  return response.status;
}

async function heldRun(app: SampleTandem): Promise<string> {
  const [run] = (await app.status()).held_runs;
  if (run === undefined) throw new Error("no run is held");
  return run.id;
}

const openIssues = (app: SampleTandem) =>
  app.github.issues(app.repo).filter(({ state }) => state === "open").length;

describeOnOneDatabase("the local sweep", (open) => {
  it("comes to an end beside an app that writes as fast as captured writes are drained", async () => {
    const app = await givenTasks(await open(), 3);
    await app.sql("update tasks set title = 'Told'");
    await app.sql(`
      create function writes_on() returns trigger language plpgsql as $$
      begin
        -- Not for ever, so that one who waits for the end comes to it.
        if (select count(*) from tandem.changes) = 0 and nextval('tasks_id_seq') < 40 then
          update tasks set title = title || '.' where id = 1;
        end if;
        return null;
      end $$;
      create trigger writes_on after delete on tandem.changes
        for each statement execute function writes_on()`);
    const [summary] = await app.tandem.sweepRecordsNow();
    expect(summary).toMatchObject({ compared: 3, differing: 0 });
    expect((await app.tasks())[0]?.title).toBe("Told.");
    expect(await app.status()).toMatchObject({ undrained: 1 });
  });

  it("sends what was written with triggers off, once, after a look at the resource", async () => {
    const app = await givenTasks(await open(), 3);
    await unseen(app, "update tasks set title = 'Loaded' where id = 2");
    await app.settle();
    expect(app.github.calls({})).toBe(0);

    const [summary] = await app.tandem.sweepRecordsNow();
    expect(summary).toEqual({
      compared: 3,
      differing: 1,
      gone: 0,
      moved: 0,
      untracked: 0,
      hidden: [],
      held: false,
    });
    await app.settle();

    expect(app.github.issue(app.repo, 2)).toMatchObject({ title: "Loaded" });
    const [sent] = (await app.events("record=tasks:2&direction=outbound")).slice(-1);
    expect(sent).toMatchObject({
      source: "change",
      state: "completed",
      reason: "updated_resource",
      changes: [{ side: "resource", field: "title", from: "T2", to: "Loaded" }],
    });
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);

    app.github.clearRequests();
    expect((await app.tandem.sweepRecordsNow())[0]).toMatchObject({ differing: 0, gone: 0 });
    await app.settle();
    expect(app.github.calls({})).toBe(0);
  });

  it("lets the resource win where both sides changed, for nobody knows when the record was written", async () => {
    const app = await givenTasks(await open(), 1);
    await unseen(app, "update tasks set title = 'Loaded', markdown = 'Loaded' where id = 1");
    app.github.faults.webhooks.drop = 1;
    await app.advance(5_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited there" });

    await app.tandem.sweepRecordsNow();
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Edited there", markdown: "Loaded" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({
      title: "Edited there",
      body: expect.stringContaining("Loaded"),
    });
    const sent = (await app.events("direction=outbound")).at(-1);
    expect(sent).toMatchObject({
      state: "completed",
      conflicts: [{ field: "title", winner: "resource", kept: "Edited there", lost: "Loaded" }],
    });
    expect(app.writes()).toBe(1);
  });

  it("makes no other issue where the one that it looks at was deleted: the task was not taken back", async () => {
    const app = await givenTasks(await open(), 1);
    await unseen(app, "update tasks set title = 'Loaded' where id = 1");
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.advance(5_000);
    await app.tandem.sweepRecordsNow();
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Loaded", deleted_at: expect.any(String) });
    expect((await app.story("record=tasks:1")).slice(-2)).toEqual([
      "outbound ignored tombstoned",
      "inbound completed archived_record",
    ]);
    expect(app.github.issues(app.repo)).toEqual([]);
    expect(app.writes()).toBe(0);
    // At the issue, and whether the repository is there at all.
    expect(app.reads()).toBe(2);

    await app.editTask("1", { deleted_at: null });
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Loaded" }]);
    expect(app.writes()).toBe(1);
  });

  it("closes the issue of a row that was deleted with triggers off", async () => {
    const app = await givenTasks(await open(), 3);
    await unseen(app, "delete from tasks where id = 2");

    expect((await app.tandem.sweepRecordsNow())[0]).toMatchObject({ gone: 1, held: false });
    await app.settle();

    expect(app.github.issues(app.repo).map(({ state }) => state)).toEqual([
      "open",
      "closed",
      "open",
    ]);
    expect((await app.events("record=tasks:2")).at(-2)).toMatchObject({
      direction: "outbound",
      action: "delete",
      state: "completed",
      reason: "closed_resource",
    });
    expect(app.writes()).toBe(1);
  });

  it("that fails is told, and repeated with the next look, though nothing says so any more", async () => {
    const { log, lines } = keptLog();
    const app = await givenTasks(await open(), 2, undefined, { log });
    await app.tandem.sweepRecordsNow();
    await unseen(app, "update tasks set title = 'Loaded' where id = 2");
    // The emptied table is reported once, and the sweep that follows cannot read the tasks.
    await app.sql("truncate comments");
    await app.sql("alter table tasks rename column title to heading");
    await look(app);
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: "a local sweep failed; it is repeated with the next cycle",
        connection: app.connection.id,
        container: app.repo,
        error: expect.stringContaining("title") as string,
      }),
    );

    await app.sql("alter table tasks rename column heading to title");
    await look(app);
    expect(app.github.issue(app.repo, 2)).toMatchObject({ title: "Loaded" });
    expect(app.writes()).toBe(1);
  });

  it("goes on behind a row that the mapping cannot translate", async () => {
    const app = await givenTasks(await open(), 2, withPoison);
    await unseen(app, "update tasks set title = 'Poisoned' where id = 1");
    await unseen(app, "update tasks set title = 'Loaded' where id = 2");
    expect(await app.tandem.sweepRecordsNow()).toMatchObject([{ compared: 2, differing: 1 }]);
    await app.settle();
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual(["T1", "Loaded"]);
  });

  it("leaves to others what they will see for themselves", async () => {
    const app = await givenTasks(await open(), 2);
    await app.tandem.pause(app.connection.id, "a look");
    await app.editTask("1", { title: "Waits" });
    await app.settle();
    expect((await app.tandem.sweepRecordsNow())[0]).toMatchObject({ differing: 0 });
    expect(await app.events("state=disabled")).toHaveLength(1);
  });

  it("S52 a table that was emptied at once closes nothing: the run is held, and all else flows", async () => {
    const app = await givenTasks(await open(), 12);
    await app.sql("truncate tasks cascade");
    await look(app);

    expect(openIssues(app)).toBe(12);
    expect((await app.status()).held_runs).toMatchObject([
      {
        connection: "acme/site",
        kind: "local_sweep",
        state: "held",
        deletes: 12,
        overwrites: 0,
        records: 12,
        because: expect.stringContaining("It would delete 12 of 12 records: "),
      },
    ]);
    expect((await app.status()).held_runs[0]?.sample).toHaveLength(10);
    expect(app.writes()).toBe(0);

    await app.addTask({ title: "New" });
    app.github.as("mona").openIssue(app.repo, { title: "Also new" });
    await app.settle();
    expect((await app.tasks()).map(({ title }) => title)).toEqual(["New", "Also new"]);
    expect(app.writes()).toBe(1);
    expect(openIssues(app)).toBe(14);
    expect(tally(await app.story())).toEqual({
      "outbound completed created_resource": 12 + 1,
      "inbound duplicate same_content": 12 + 1,
      "inbound completed created_record": 1,
    });
  });

  it("S52 the rows are put back: the run is withdrawn by itself, and edits made meanwhile arrive", async () => {
    const app = await givenTasks(await open(), 12);
    await app.sql("create table kept as select * from tasks");
    await app.sql("truncate tasks cascade");
    await look(app);
    await app.advance(5_000);
    app.github.as("mona").editIssue(app.repo, 3, { title: "Edited meanwhile" });
    await app.settle();
    expect((await app.events()).at(-1)).toMatchObject({
      state: "ignored",
      reason: "record_missing",
    });
    await app.sql("insert into tasks overriding system value select * from kept");
    await app.settle();
    await app.tandem.sweepRecordsNow();
    await app.settle();

    expect((await app.status()).held_runs).toEqual([]);
    expect((await app.tasks()).map(({ title }) => title)).toContain("Edited meanwhile");
    // The row came back, so its event looked again; no other row had anything new.
    const taken = (await app.events()).filter(({ changes }) =>
      changes.some(({ to }) => to === "Edited meanwhile"),
    );
    expect(taken).toMatchObject([
      {
        direction: "outbound",
        state: "completed",
        reason: "nothing_to_send",
        integration_external_id: "3",
        changes: [{ side: "record", field: "title", to: "Edited meanwhile" }],
      },
    ]);
    expect(tally(await app.story())).toEqual({
      "outbound completed created_resource": 12,
      "inbound duplicate same_content": 12,
      "inbound ignored record_missing": 1,
      "outbound completed nothing_to_send": 12,
    });
    expect(await app.tasks()).toHaveLength(12);
    expect(openIssues(app)).toBe(12);
    expect(app.writes()).toBe(0);
    const titles = (await app.tasks()).map(({ title }) => title).sort();
    expect(
      app.github
        .issues(app.repo)
        .map(({ title }) => title)
        .sort(),
    ).toEqual(titles);
  });

  it("S52 approved, it goes on for as much as was shown; rejected, it stays undone until it would do more", async () => {
    const app = await givenTasks(await open(), 14);
    await unseen(app, "delete from comments; delete from tasks where id <= 12");
    await app.tandem.sweepRecordsNow();
    expect(await say(app, "reject")).toBe(200);
    await app.tandem.sweepRecordsNow();
    await app.settle();
    expect((await app.status()).held_runs).toMatchObject([{ state: "rejected", deletes: 12 }]);
    expect(openIssues(app)).toBe(14);

    await unseen(app, "delete from tasks where id = 13");
    await app.tandem.sweepRecordsNow();
    await app.settle();
    expect((await app.status()).held_runs).toMatchObject([{ state: "held", deletes: 13 }]);

    const run = await heldRun(app);
    expect(await say(app, "approve", run)).toBe(200);
    await look(app);
    expect((await app.status()).held_runs).toEqual([]);
    expect(openIssues(app)).toBe(1);
    expect(await app.task()).toMatchObject({ id: "14", title: "T14" });
    expect(tally(await app.story("direction=outbound"))).toEqual({
      "outbound completed created_resource": 14,
      "outbound completed closed_resource": 13,
    });
    expect(app.writes()).toBe(13);
    expect(await say(app, "approve", run)).toBe(404);
  });
});
