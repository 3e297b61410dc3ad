/** A reconcile's result, and what is weighed before it deletes or overwrites anything. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog, toldOf } from "../../harness/kept-log.ts";
import { APP, connect, SITE } from "../../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Writes where no trigger fires, as replication and a restore do. */
async function unseen(app: SampleTandem, sql: string): Promise<void> {
  await app.sql(`begin; set local session_replication_role = replica; ${sql}; commit`);
}

const kindsOf = (actions: readonly { readonly kind: string }[]) =>
  actions.map(({ kind }) => kind).sort();

describeOnOneDatabase("a reconcile", (open) => {
  it("says what it listed and planned, and whether it was carried out", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    for (const title of ["One", "Two", "Three"]) app.github.as("mona").openIssue(SITE, { title });
    app.github.as("mona").comment(SITE, 1, "Said");
    const { id } = app.connection;
    const planned = await app.tandem.reconcile(id, { dryRun: true });
    const creates = ["create_record", "create_record", "create_record", "create_record"];
    expect(planned).toMatchObject({ listed: 4, unconfirmed: 0, applied: false, held: false });
    expect(kindsOf(planned.actions)).toEqual(creates);
    expect(await app.tasks()).toEqual([]);
    const done = await app.tandem.reconcile(id);
    expect(done).toMatchObject({ listed: 4, unconfirmed: 0, applied: true, held: false });
    expect(kindsOf(done.actions)).toEqual(creates);
    await app.settle();
    expect(await app.tasks()).toHaveLength(3);

    // An issue may be missing because a list lags behind: the run is not sure yet.
    app.github.as("mona").openIssue(SITE, { title: "Four" });
    await app.tandem.syncNow();
    await app.settle();
    app.github.as("mona").deleteIssue(SITE, 4);
    expect(await app.tandem.reconcile(id)).toMatchObject({
      listed: 4,
      unconfirmed: 1,
      actions: [],
    });
    await app.advance(10 * 60_000);
    const later = await app.tandem.reconcile(id);
    expect(later).toMatchObject({ listed: 4, unconfirmed: 0, applied: true });
    expect(kindsOf(later.actions)).toEqual(["archive_record"]);
    expect(await app.tandem.reconcile(id)).toMatchObject({ listed: 4, actions: [] });
  });

  it("is weighed against the smallest connection that would lose by it", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), undefined, { log });
    await app.sql("insert into projects (name) values ('App')");
    await connect(app, APP, "2");
    for (let number = 1; number <= 8; number += 1) await app.addTask({ title: `S${number}` });
    for (let number = 1; number <= 6; number += 1) {
      await app.addTask({ project_id: "2", title: `A${number}` });
    }
    await app.settle();
    await app.advance(60 * 60_000);
    const [, there] = (await app.status()).connections;
    const id = (await app.tandem.services.store.directory.connections()).find(
      ({ containerName }) => containerName === APP,
    )?.id;
    if (id === undefined || there?.container !== APP) throw new Error("the app is connected");
    app.github.faults.webhooks.drop = 1;
    await unseen(app, "update tasks set project_id = 2 where title < 'S7' and title >= 'S'");
    for (const { number } of app.github.issues(APP).slice(0, 5)) {
      app.github.as("mona").deleteIssue(APP, number);
    }
    app.github.clearRequests();
    const run = await app.tandem.reconcile(id);
    expect(run).toMatchObject({ applied: false, held: true, actions: [] });
    const outlook = { deletes: 11, overwrites: 0, records: 6 };
    expect((await app.status()).held_runs).toMatchObject([
      { connection: APP, kind: "reconcile", state: "held", ...outlook },
    ]);
    expect(toldOf(lines, "a run would do too much and waits for approval")).toEqual([
      { connection: id, container: APP, kind: "reconcile", ...outlook },
    ]);
    expect((await app.status()).held_runs[0]?.sample[0]).toMatchObject({
      what: "delete",
      ...{ resource_type: "issue", record_type: "tasks" },
      integration_external_id: expect.any(String) as string,
      record_id: expect.any(String) as string,
    });
    await app.settle();
    expect(app.writes()).toBe(0);

    // An approval covers the numbers that were shown.
    const plan = await app.tandem.reconcile(id, { dryRun: true });
    expect(kindsOf(plan.actions)).toEqual([
      ...Array<string>(5).fill("archive_record"),
      ...Array<string>(6).fill("create_resource"),
      ...Array<string>(6).fill("remove_resource"),
    ]);
    const [held] = (await app.status()).held_runs;
    await app.tandem.approve(held?.id ?? "");
    expect(await app.tandem.reconcile(id)).toMatchObject({ applied: true, held: false });
    await app.settle();
    expect((await app.status()).held_runs).toEqual([]);
    const titles = app.github.issues(APP).map(({ title }) => title.slice(0, 1));
    expect(titles.sort()).toEqual(["A", "S", "S", "S", "S", "S", "S"]);
    expect(app.github.issues(SITE).map(({ state }) => state)).toEqual([
      ...Array<string>(6).fill("closed"),
      ...["open", "open"],
    ]);
  });

  it("counts what it overwrites apart from what it deletes", async () => {
    const app = await givenSampleTandem(await open());
    for (let number = 1; number <= 13; number += 1) await app.addTask({ title: `T${number}` });
    await app.settle();
    app.github.clearRequests();
    await unseen(app, "delete from tasks where id <= 3");
    await unseen(app, "update tasks set title = 'Loaded' where id > 3");
    const run = await app.tandem.reconcile(app.connection.id);
    expect(run).toMatchObject({ listed: 13, applied: false, held: true });
    const [held] = (await app.status()).held_runs;
    expect(held).toMatchObject({ kind: "reconcile", deletes: 3, overwrites: 10, records: 13 });
    expect(held?.sample.map(({ what }) => what)).toEqual(Array<string>(10).fill("overwrite"));
    await app.settle();
    expect(app.writes()).toBe(0);
  });
});
