/** Situation 40: an issue that was out of reach returns, and the webhook of its return is lost. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import {
  APP,
  ELSEWHERE,
  expectAtRest,
  givenElsewhere,
  type Pair,
  said,
  SITE,
  transfer,
  unfinished,
} from "../../harness/projects.ts";

/** A repository beside `ELSEWHERE` that nothing is connected to. */
const BEYOND = "acme/beyond";

/** The issue is out of reach, and Tandem knows it. */
async function givenOutOfReach(database: TestDatabase): Promise<Pair> {
  const app = await givenElsewhere(database);
  app.github.createRepository({ owner: "acme", name: "beyond" });
  transfer(app, SITE, 1, ELSEWHERE);
  await app.settle();
  await app.advance(3_600_000);
  app.github.faults.webhooks.drop = 1;
  return app;
}

async function poll(app: Pair): Promise<void> {
  await app.advance(60_000);
  await app.tandem.syncNow();
  await app.settle();
}

async function sweep(app: Pair): Promise<void> {
  await app.advance(60_000);
  await app.tandem.sweepNow();
  await app.settleWithin(10);
}

async function expectPairedAgain(app: Pair, repository: string, project: string): Promise<void> {
  app.github.clearFaults();
  expect(await app.tasks()).toMatchObject([{ id: app.taskId, project_id: project }]);
  expect(said(app, repository)).toEqual(["I see it too.", "On it."]);
  expect(await app.comments()).toHaveLength(2);
  expect(app.writes()).toBe(0);
  expect(await unfinished(app)).toEqual([]);
  await expectAtRest(app);
}

describeOnOneDatabase("an issue that returns while its webhook is lost", (open) => {
  for (const [repository, project] of [
    [APP, "2"],
    [SITE, "1"],
  ] as const) {
    it(`S40: to ${repository}: the poll pairs it with its task, and makes no second one`, async () => {
      const app = await givenOutOfReach(await open());
      transfer(app, ELSEWHERE, 1, repository);
      await poll(app);
      await app.settleWithin(10);

      expect(await app.sql("select count(*)::int as made from tasks")).toEqual([{ made: 1 }]);
      await expectPairedAgain(app, repository, project);
    });
  }

  it("S40: by way of a second unconnected repository: the redirects are followed to their end", async () => {
    const app = await givenOutOfReach(await open());
    transfer(app, ELSEWHERE, 1, BEYOND);
    transfer(app, BEYOND, 1, APP);
    await poll(app);
    await app.settleWithin(10);

    await expectPairedAgain(app, APP, "2");
  });

  it("S40: that became a second task by a webhook of a later edit: the sweep removes that task", async () => {
    const app = await givenOutOfReach(await open());
    transfer(app, ELSEWHERE, 1, APP);
    app.github.clearFaults();
    app.github.as("mona").editIssue(APP, 1, { title: "Broken links" });
    await app.settle();
    expect(await app.tasks()).toHaveLength(2);
    const { actions } = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(actions).toMatchObject([
      { kind: "move_record", externalId: "1", recordId: app.taskId },
      { kind: "delete_record", externalId: "1", recordId: "2" },
    ]);
    await sweep(app);

    expect(await app.task()).toMatchObject({ title: "Broken links" });
    await expectPairedAgain(app, APP, "2");
  });
});

describeOnOneDatabase("an issue that stays out of reach", (open) => {
  it("is not read for an issue that was opened after it had left", async () => {
    const app = await givenOutOfReach(await open());
    app.github.as("mona").openIssue(APP, { title: "Another" });
    app.github.clearRequests();
    await poll(app);

    expect(await app.tasks()).toHaveLength(2);
    expect(app.github.calls({ method: "GET", path: /\/issues\/1$/ })).toBe(0);
  });
});
