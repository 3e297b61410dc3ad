/** Runs that would delete or overwrite much, and wait for a person's word: situation 52's cousins. */
import { expect, it } from "vitest";
import { sweepDue } from "../../../src/runtime/reconcile/sweep.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { tally } from "../../harness/tally.ts";

const DAY = 24 * 3_600_000;
const MANY = 15;

async function givenIssues(database: TestDatabase) {
  const app = await givenSampleTandem(database);
  for (let number = 1; number <= MANY; number += 1) {
    app.github.as("mona").openIssue(app.repo, { title: `Issue ${String(number)}` });
  }
  await app.settle();
  await app.tandem.syncNow();
  await app.settle();
  app.github.clearRequests();
  return app;
}

/** The repository shows us nothing any more, and says so for each issue. */
function hideEverything(app: SampleTandem): void {
  app.github.faults.api.lists = "empty";
  for (let number = 1; number <= MANY; number += 1) {
    app.github.failNext({
      method: "GET",
      path: new RegExp(`/issues/${String(number)}$`),
      with: 404,
    });
  }
}

async function post(app: SampleTandem, path: string): Promise<number> {
  const headers = { "content-type": "application/json" };
  const request = new Request(`http://localhost/api/${path}`, { method: "POST", headers });
  return (await app.tandem.fetch(request)).status;
}

const living = async (app: SampleTandem) =>
  (await app.tasks()).filter(({ deleted_at }) => deleted_at === null).length;

describeOnOneDatabase("a run that would do too much", (open) => {
  it("S52 an empty list and a 404 for every issue: the sweep is held, and withdrawn when the list is whole", async () => {
    const app = await givenIssues(await open());
    await app.advance(60_000);
    hideEverything(app);
    await app.tandem.sweepNow();
    await app.settle();

    expect(await living(app)).toBe(MANY);
    const [run] = (await app.status()).held_runs;
    expect(run).toMatchObject({
      connection: "acme/site",
      kind: "id_sweep",
      state: "held",
      deletes: MANY,
      overwrites: 0,
      records: MANY,
    });
    expect(run?.sample[0]).toMatchObject({
      what: "delete",
      record_type: "tasks",
      resource_type: "issue",
      integration_external_id: "1",
    });

    // Nothing else waits for it.
    await app.addTask({ title: "From here" });
    await app.settle();
    expect(app.github.issue(app.repo, MANY + 1)).toMatchObject({ title: "From here" });

    app.github.faults.api.lists = "whole";
    await app.tandem.sweepNow();
    await app.settle();
    expect((await app.status()).held_runs).toEqual([]);
    expect(await living(app)).toBe(MANY + 1);
    expect(app.github.issues(app.repo).map(({ state }) => state)).toEqual(
      Array.from({ length: MANY + 1 }, () => "open"),
    );
    expect(tally(await app.story())).toEqual({
      "inbound completed created_record": MANY,
      "outbound completed created_resource": 1,
      "inbound duplicate same_content": 1,
    });
    expect(app.writes()).toBe(1);
    expect(await post(app, `runs/${run?.id ?? ""}/approve`)).toBe(404);
  });

  it("S52 they are really gone: approved, a worker's next look archives their tasks", async () => {
    const app = await givenIssues(await open());
    app.github.faults.webhooks.drop = 1;
    for (let number = 1; number <= MANY; number += 1) {
      app.github.as("mona").deleteIssue(app.repo, number);
    }
    await app.advance(60_000);
    await app.tandem.sweepNow();
    await app.settle();
    expect(await living(app)).toBe(MANY);
    const [run] = (await app.status()).held_runs;

    expect(await post(app, `runs/${run?.id ?? ""}/approve`)).toBe(200);
    expect((await app.status()).held_runs).toMatchObject([{ state: "approved" }]);
    await sweepDue(app.tandem.services, DAY);
    await app.settle();

    expect(await living(app)).toBe(0);
    expect((await app.status()).held_runs).toEqual([]);
    const deletions = (await app.events()).filter(({ action }) => action === "delete");
    expect(deletions).toHaveLength(MANY);
    for (const deletion of deletions) {
      expect(deletion).toMatchObject({ state: "completed", reason: "archived_record" });
    }
    expect(app.github.issues(app.repo)).toEqual([]);
    expect(app.writes()).toBe(0);
  });

  it("S52 deletions that webhooks tell are somebody's acts, and carried out however many", async () => {
    const app = await givenIssues(await open());
    for (let number = 1; number <= MANY; number += 1) {
      app.github.as("mona").deleteIssue(app.repo, number);
    }
    await app.settle();
    expect(await living(app)).toBe(0);
    expect(app.github.issues(app.repo)).toEqual([]);
    expect((await app.status()).held_runs).toEqual([]);
    expect(tally(await app.story())).toEqual({
      "inbound completed created_record": MANY,
      "inbound completed archived_record": MANY,
    });
    expect(app.writes()).toBe(0);
  });

  it("a reconcile that would overwrite every issue is held, and does what is harmless", async () => {
    const app = await givenIssues(await open());
    await app.sql(
      "begin; set local session_replication_role = replica; update tasks set title = 'Old ' || id; commit",
    );
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "Unheard" });
    const done = await app.tandem.reconcile(app.connection.id);
    await app.settle();

    expect(done).toMatchObject({ applied: false, held: true });
    expect(app.writes()).toBe(0);
    expect((await app.tasks()).map(({ title }) => title)).toContain("Unheard");
    const [run] = (await app.status()).held_runs;
    expect(run).toMatchObject({ kind: "reconcile", deletes: 0, overwrites: MANY });

    await app.tandem.approve(run?.id ?? "");
    expect(await app.tandem.reconcile(app.connection.id)).toMatchObject({ applied: true });
    await app.settle();
    const titles = app.github.issues(app.repo).map(({ title }) => title);
    expect(titles.filter((title) => title.startsWith("Old "))).toHaveLength(MANY);
    expect(app.writes()).toBe(MANY);
  });
});
