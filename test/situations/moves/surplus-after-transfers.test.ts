/** Resources that exist twice after an issue of ours was transferred, and some that only look so. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { outliveSender, POST_COMMENT, POST_ISSUE } from "../../harness/in-flight.ts";
import {
  APP,
  ELSEWHERE,
  expectAtRest,
  givenPaired,
  givenProjects,
  issuesOf,
  type Pair,
  said,
  SITE,
  transfer,
} from "../../harness/projects.ts";

/** A task of ours whose first POST still travels; the second has made issue 1. */
async function givenLateCreate(database: TestDatabase) {
  const app = await givenProjects(database);
  const taskId = await app.addTask({ title: "Written once" });
  const late = await outliveSender(app, POST_ISSUE);
  await app.settle();
  return { app: { ...app, taskId }, late };
}

/** The same, and issue 1 is in the other repository by now. */
async function givenTransferred(database: TestDatabase) {
  const { app, late } = await givenLateCreate(database);
  transfer(app, SITE, 1, APP);
  await app.settle();
  app.github.clearRequests();
  return { app, late };
}

/** Two sweeps, and time for what waits for its parent. */
async function sweepTwice(app: Pair): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await app.tandem.sweepNow();
    await app.settleWithin(10);
  }
}

describeOnOneDatabase(
  "a create of ours that lands where its issue was transferred from",
  (open) => {
    it("is surplus: it gets no task, and the sweep closes it and says why", async () => {
      const { app, late } = await givenTransferred(await open());
      late.apply();
      await app.settle();
      expect(await app.tasks()).toMatchObject([{ id: app.taskId, project_id: "2" }]);
      const told = await app.events(`record=tasks:${app.taskId}`);
      expect(told.at(-1)).toMatchObject({
        ...{ state: "ignored", reason: "surplus", source: "webhook" },
        ...{ connection_id: app.connection.id, integration_external_id: "2" },
        ...{ ignored_for_id: app.taskId, ignored_for_type: "tasks" },
      });

      await sweepTwice(app);
      expect(issuesOf(app, SITE)).toEqual(["closed: Written once"]);
      expect(issuesOf(app, APP)).toEqual(["open: Written once"]);
      const [why, ...others] = app.github.comments(SITE);
      expect(why?.body).toContain("/acme/app/issues/1.");
      expect(others).toEqual([]);
      // It is closed, and told why, once.
      expect(app.writes()).toBe(2);
      expect(await app.comments()).toEqual([]);
      await expectAtRest(app);
    });

    it("also where its webhook was lost: a poll makes no task of it", async () => {
      const { app, late } = await givenTransferred(await open());
      app.holdWebhooks();
      late.apply();
      await app.tandem.syncNow();
      await app.settle();
      expect(await app.tasks()).toHaveLength(1);
      app.github.clearFaults();

      await sweepTwice(app);
      expect(issuesOf(app, SITE)).toEqual(["closed: Written once"]);
      await expectAtRest(app);
    });

    it("also where that went out of reach: only the second is where we look", async () => {
      const { app, late } = await givenLateCreate(await open());
      app.github.createRepository({ owner: "acme", name: "elsewhere" });
      transfer(app, SITE, 1, ELSEWHERE);
      await app.settle();
      app.github.clearRequests();
      late.apply();
      await app.settle();

      await sweepTwice(app);
      expect(issuesOf(app, SITE)).toEqual(["closed: Written once"]);
      expect(issuesOf(app, ELSEWHERE)).toEqual(["open: Written once"]);
      expect(app.writes()).toBe(2);
      expect(await app.story(`record=tasks:${app.taskId}`)).toContain(
        "inbound completed moved_away",
      );
      await expectAtRest(app);
    });

    it("stays as long as nobody can tell whether the other is there", async () => {
      const { app, late } = await givenTransferred(await open());
      late.apply();
      await app.settle();
      app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: 502 });
      await app.tandem.sweepNow();
      await app.settle();
      expect(issuesOf(app, SITE)).toEqual(["open: Written once"]);

      await sweepTwice(app);
      expect(issuesOf(app, SITE)).toEqual(["closed: Written once"]);
      await expectAtRest(app);
    });
  },
);

describeOnOneDatabase("an issue of ours that was transferred away and back unheard", (open) => {
  it("is not taken for a second one: the sweep leaves it open, and its task follows it", async () => {
    const app = await givenProjects(await open());
    const taskId = await app.addTask({ title: "Written once" });
    await app.settle();
    app.github.clearRequests();
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    transfer(app, APP, 1, SITE);
    app.github.clearFaults();
    await app.tandem.syncNow();
    await app.settle();

    await sweepTwice({ ...app, taskId });
    expect(issuesOf(app, SITE)).toEqual(["open: Written once"]);
    expect(await app.tasks()).toMatchObject([{ id: taskId, project_id: "1", deleted_at: null }]);
    expect(app.writes()).toBe(0);
    app.github.as("mona").editIssue(SITE, 2, { title: "Still heard" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Still heard" });
    await expectAtRest({ ...app, taskId });
  });

  it("nor when all heard only of how it went: it is where it began, under another number", async () => {
    const app = await givenProjects(await open());
    const taskId = await app.addTask({ title: "Written once" });
    await app.settle();
    transfer(app, SITE, 1, APP);
    await app.settle();
    app.github.clearRequests();
    app.holdWebhooks();
    transfer(app, APP, 1, SITE);
    app.github.clearFaults();
    await app.tandem.syncNow();
    await app.settle();
    expect(await app.tasks()).toHaveLength(1);

    await sweepTwice({ ...app, taskId });
    expect(issuesOf(app, SITE)).toEqual(["open: Written once"]);
    expect(await app.task()).toMatchObject({ id: taskId, project_id: "1", deleted_at: null });
    expect(app.writes()).toBe(0);
    await expectAtRest({ ...app, taskId });
  });
});

describeOnOneDatabase("a second issue of ours whose first one is deleted unheard", (open) => {
  it("is closed once the deletion is certain", async () => {
    const { app, late } = await givenLateCreate(await open());
    late.apply();
    await app.settle();
    app.holdWebhooks();
    app.github.as("acme").deleteIssue(SITE, 1);
    app.github.clearFaults();
    await app.advance(11 * 60_000);

    await app.tandem.sweepNow();
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["open: Written once"]);
    expect((await app.task()).deleted_at).not.toBeNull();
    await sweepTwice(app);
    expect(issuesOf(app, SITE)).toEqual(["closed: Written once"]);
  });
});

/** A comment of ours that an earlier request has made a second time, below issue 1. */
async function givenSaidTwice(database: TestDatabase): Promise<Pair> {
  const app = await givenPaired(database);
  await app.addComment(app.taskId, "Said once.");
  const late = await outliveSender(app, POST_COMMENT);
  await app.settle();
  late.apply();
  await app.settle();
  expect(said(app, SITE)).toEqual(["Said once.", "Said once."]);
  return app;
}

describeOnOneDatabase("a second comment of ours that is transferred with its issue", (open) => {
  it("goes at the next sweep", async () => {
    const app = await givenSaidTwice(await open());
    transfer(app, SITE, 1, APP);
    await app.settleWithin(10);
    await sweepTwice(app);
    expect(said(app, APP)).toEqual(["Said once."]);
    expect(await app.comments()).toMatchObject([{ id: "1" }]);
    await expectAtRest(app);
  });

  it.each([
    ["to the issue's old place", ""],
    ["to the issue's new place", ", project_id = 2"],
  ])("stays below a task that is archived, and goes once that is taken back %s", async (_, too) => {
    const app = await givenSaidTwice(await open());
    await app.sql("update tasks set deleted_at = tandem.now()");
    await app.settle();
    await app.advance(5_000);
    transfer(app, SITE, 1, APP);
    await app.settleWithin(10);
    // A poll lists both, and an archived task wants neither.
    await app.advance(60_000);
    await app.tandem.syncNow();
    await sweepTwice(app);
    expect(said(app, APP)).toEqual(["Said once.", "Said once."]);
    app.github.clearRequests();

    await app.sql(`update tasks set deleted_at = null${too}`);
    await app.settleWithin(10);
    await sweepTwice(app);
    expect(await app.task()).toMatchObject({ project_id: "2", deleted_at: null });
    expect(said(app, APP)).toEqual(["Said once."]);
    expect(await app.comments()).toMatchObject([{ id: "1", markdown: "Said once." }]);
    const told = await app.events("record=comments:1");
    expect(told.at(-1)).toMatchObject({ state: "ignored", reason: "surplus" });
    // The issue is opened again, and the second comment deleted.
    expect(app.writes()).toBe(2);
    await expectAtRest(app);
  });
});
