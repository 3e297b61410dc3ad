/** Issues that move on, or turn back, before all has followed: schedules of simulated histories, told alone. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import {
  APP,
  ELSEWHERE,
  expectAtRest,
  givenComments,
  givenElsewhere,
  issuesOf,
  type Pair,
  said,
  SITE,
  transfer,
  unfinished,
} from "../../harness/projects.ts";

describeOnOneDatabase("an issue that is back before anybody let go of its task", (open) => {
  it("the task stays, and follows it", async () => {
    const app = await givenElsewhere(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, ELSEWHERE);
    transfer(app, ELSEWHERE, 1, APP);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "2", deleted_at: null });
    expect(await app.story(`record=tasks:${app.taskId}`)).toContain(
      "inbound canceled resource_moved",
    );
    expect(said(app, APP)).toEqual(["I see it too.", "On it."]);
    expect(await app.comments()).toHaveLength(2);
    await expectAtRest(app);
  });

  it("nor was it deleted where that was said while all was paused", async () => {
    const app = await givenElsewhere(await open());
    await app.tandem.pause(app.connection.id, "a person has paused it");
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settle();
    transfer(app, ELSEWHERE, 1, APP);
    await app.settle();
    await app.tandem.enable(app.connection.id);
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "2", deleted_at: null });
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("an issue that goes on before its comments have followed", (open) => {
  it("out of reach: they are let go of with it, and stay in the app", async () => {
    const app = await givenElsewhere(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    transfer(app, APP, 1, ELSEWHERE);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(await app.comments()).toHaveLength(2);
    for (const id of ["1", "2"]) {
      expect(await app.story(`record=comments:${id}`)).toContain("inbound completed moved_away");
    }
    expect(await unfinished(app)).toEqual([]);
  });
});

describeOnOneDatabase("an issue that is gone before anything has followed it", (open) => {
  /** It was transferred, its task was edited, and then it was deleted there, or went on out of reach. */
  async function givenGone(database: TestDatabase, how: "deleted" | "out of reach"): Promise<Pair> {
    const app = await givenElsewhere(database);
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    await app.editTask(app.taskId, { title: "Edited here" });
    if (how === "deleted") app.github.as("acme").deleteIssue(APP, 1);
    else transfer(app, APP, 1, ELSEWHERE);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);
    expect(await app.task()).toMatchObject({ title: "Edited here", project_id: "1" });
    expect(await unfinished(app)).toEqual([]);
    return app;
  }

  for (const how of ["deleted", "out of reach"] as const) {
    it(`${how}: no edit makes another, here or there, nor does a comment`, async () => {
      const app = await givenGone(await open(), how);
      await app.editTask(app.taskId, { title: "Edited again" });
      await app.addComment(app.taskId, "And said.");
      await app.settleWithin(10);

      expect([issuesOf(app, SITE), issuesOf(app, APP)]).toEqual([[], []]);
      expect((await app.story(`record=tasks:${app.taskId}`)).at(-1)).toBe(
        "outbound ignored tombstoned",
      );
      expect(await app.comments()).toHaveLength(3);
      expect(app.writes()).toBe(0);
      await expectAtRest(app);
    });

    it(`${how}: a task that is archived and taken back gets another where it belongs`, async () => {
      const app = await givenGone(await open(), how);
      await app.sql("update tasks set deleted_at = tandem.now()");
      await app.settle();
      await app.sql("update tasks set deleted_at = null");
      await app.settleWithin(10);

      expect([issuesOf(app, SITE), issuesOf(app, APP)]).toEqual([["open: Edited here"], []]);
      expect(await app.task()).toMatchObject({ project_id: "1", deleted_at: null });
      // A comment that was deleted below the issue stays deleted.
      const again = how === "deleted" ? [] : ["I see it too.", "On it."];
      expect(said(app, SITE)).toEqual(again);
      await expectAtRest(app);
    });
  }
});

describeOnOneDatabase("comments that are not at an issue's new place", (open) => {
  it("one is waited for five minutes in all, however often the issue is edited meanwhile", async () => {
    const app = await givenComments(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    const [, last] = app.github.comments(APP, 1);
    app.github.as("hubot").deleteComment(APP, last?.id ?? 0);
    await app.release(...app.held().slice(0, 2));
    await app.settle();
    app.github.clearFaults();
    for (const minute of [1, 2, 3, 4, 5]) {
      await app.advance(59_000);
      expect(await app.comments()).toHaveLength(2);
      app.github.as("mona").editIssue(APP, 1, { title: `Minute ${String(minute)}` });
      await app.settle();
    }
    await app.advance(6_000);
    await app.settle();

    expect(await app.comments()).toMatchObject([{ id: "1" }]);
    expect(await app.task()).toMatchObject({ project_id: "2", title: "Minute 5" });
    expect(await unfinished(app)).toEqual([]);
  });

  it("one that was told of and has no record yet is not waited for", async () => {
    const app = await givenComments(await open());
    app.holdWebhooks();
    app.github.as("mona").comment(SITE, 1, "Told late.");
    const late = app.held();
    transfer(app, SITE, 1, APP);
    await app.release(...late);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settle();

    expect(await app.task()).toMatchObject({ project_id: "2" });
    expect(said(app, APP)).toEqual(["I see it too.", "On it.", "Told late."]);
    await app.settleWithin(10);
    expect(await app.comments()).toHaveLength(3);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a comment that got another place while its issue was on its way", (open) => {
  /** The look at the issue's new place fails permanently, and the app's edit of our comment is led there. */
  async function givenLedAway(app: Pair): Promise<() => Promise<void>> {
    app.github.failNext({ method: "GET", path: /\/issues\/\d+$/, with: 422 });
    transfer(app, SITE, 1, APP);
    await app.settle();
    const failed = (await unfinished(app)).find(({ state }) => state === "errored");
    expect(failed).toMatchObject({ error: { code: "validation_failed" } });
    await app.sql("update comments set markdown = 'On it now.' where id = 2");
    await app.settle();
    expect(await app.story("record=comments:2")).toContain("inbound completed moved_away");
    const url = `http://localhost/api/events/${failed?.id ?? ""}/restart`;
    return async () => {
      await app.tandem.fetch(new Request(url, { method: "POST" }));
      await app.settleWithin(10);
    };
  }

  it("below another task of the new project: it is said there, and not twice", async () => {
    const app = await givenComments(await open());
    const other = await app.addTask({ title: "Other", project_id: "2" });
    await app.settle();
    const restart = await givenLedAway(app);
    await app.sql("update comments set task_id = $1 where id = 2", [other]);
    await app.settle();
    await restart();

    expect(app.github.comments(APP, 1)).toHaveLength(1);
    expect(app.github.comments(APP, 2)).toHaveLength(1);
    expect(said(app, APP)).toEqual(expect.arrayContaining(["I see it too.", "On it now."]));
    expect(await unfinished(app)).toEqual([]);
  });

  it("below one that has no issue yet, and back: it follows, and nothing is said twice", async () => {
    const app = await givenComments(await open());
    app.github.failNext({ method: "POST", path: /\/issues$/, with: 500 });
    const other = await app.addTask({ title: "Other", project_id: "2" });
    await app.settle();
    const restart = await givenLedAway(app);
    await app.sql("update comments set task_id = $1 where id = 2", [other]);
    await app.settle();
    await app.sql("update comments set task_id = $1 where id = 2", [app.taskId]);
    await app.settle();
    await restart();

    expect(said(app, APP)).toEqual(["I see it too.", "On it now."]);
    expect(app.github.calls({ method: "POST", path: /\/comments$/ })).toBe(0);
    expect(await app.comments()).toHaveLength(2);
    expect(await unfinished(app)).toEqual([]);
  });
});
