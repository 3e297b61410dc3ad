/** Transfers that simulated histories ended badly: each schedule is told here alone, without the chance. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest, PATCH_ISSUE } from "../../harness/in-flight.ts";
import {
  APP,
  ELSEWHERE,
  expectAtRest,
  givenComments,
  givenElsewhere,
  givenPaired,
  issuesOf,
  moveTo,
  type Pair,
  said,
  SITE,
  transfer,
  unfinished,
} from "../../harness/projects.ts";

async function lostIn(app: Pair): Promise<readonly unknown[]> {
  return (await app.events()).flatMap(({ conflicts }) => conflicts.map(({ lost }) => lost));
}

describeOnOneDatabase("an issue that goes out of reach, and back", (open) => {
  it("while its task is deleted: there is nothing to close, and nothing fails", async () => {
    const app = await givenElsewhere(await open());
    app.github.faults.webhooks.drop = 1;
    transfer(app, SITE, 1, ELSEWHERE);
    await app.sql("delete from tasks");
    await app.settle();

    expect(await app.story(`record=tasks:${app.taskId}&direction=outbound`)).toEqual([
      "outbound completed moved_away",
    ]);
    expect(await unfinished(app)).toEqual([]);
    expect(issuesOf(app, ELSEWHERE)).toEqual(["open: Broken link"]);
    expect(app.github.calls({ method: "PATCH" })).toBe(0);
  });

  it("after its task was archived: back, it is closed, and pairs with nothing", async () => {
    const app = await givenElsewhere(await open());
    app.github.faults.webhooks.drop = 1;
    transfer(app, SITE, 1, ELSEWHERE);
    await app.sql("update tasks set deleted_at = tandem.now()");
    await app.settle();
    app.github.as("mona").editIssue(ELSEWHERE, 1, { title: "Theirs there" });
    app.github.clearFaults();
    transfer(app, ELSEWHERE, 1, APP);
    await app.settle();

    const [pairing] = await app.pairings(app.taskId);
    expect(pairing).toMatchObject({ connection: APP, in_sync: false });
    expect(issuesOf(app, APP)).toEqual(["closed: Theirs there"]);
    const task = await app.task();
    expect([task.title, task.deleted_at === null]).toEqual(["Broken link", false]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("its task is deleted meanwhile: back, it is closed", async () => {
    const app = await givenElsewhere(await open());
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settle();
    await app.sql("delete from tasks");
    await app.settle();
    transfer(app, ELSEWHERE, 1, APP);
    await app.settleWithin(10);

    expect(await app.tasks()).toEqual([]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    expect(await unfinished(app)).toEqual([]);
  });

  it("its task is archived meanwhile: back where it was, it is closed", async () => {
    const app = await givenElsewhere(await open());
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settle();
    await app.sql("update tasks set deleted_at = tandem.now()");
    await app.settle();
    transfer(app, ELSEWHERE, 1, SITE);
    await app.settleWithin(10);

    expect((await app.task()).deleted_at).not.toBeNull();
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("with a comment that the app edits before all has followed: it is written there, once", async () => {
    const app = await givenElsewhere(await open());
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settle();
    await app.advance(5_000);
    app.holdWebhooks();
    transfer(app, ELSEWHERE, 1, APP);
    app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: 500 });
    await app.release(...app.held());
    await app.sql("update comments set markdown = 'On it now.' where id = 2");
    await app.settle();
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(said(app, APP)).toEqual(["I see it too.", "On it now."]);
    expect(await app.story()).not.toContain("outbound canceled superseded");
    expect(await app.comments()).toHaveLength(2);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("an issue transferred while the app moves its task", (open) => {
  it("there and back again, and the app stays with the other project: a new issue is made there", async () => {
    const app = await givenPaired(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    await app.release(...app.held());
    await moveTo(app, "2");
    transfer(app, APP, 1, SITE);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "2" });
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    await expectAtRest(app);
  });

  it("to nowhere, when a poll has made another task of the issue: that one keeps it", async () => {
    const app = await givenPaired(await open());
    app.github.faults.webhooks.drop = 1;
    transfer(app, SITE, 1, APP);
    await app.advance(61_000);
    await app.tandem.syncNow();
    await app.settle();
    await moveTo(app, "3");
    await app.settleWithin(10);
    app.github.clearFaults();

    const tasks = await app.tasks();
    expect(tasks.map(({ id, project_id }) => [id === app.taskId, project_id])).toEqual([
      [true, "3"],
      [false, "2"],
    ]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(await app.pairings(tasks[1]?.id ?? "")).toMatchObject([
      { connection: APP, integration_external_id: "1", in_sync: true },
    ]);
    expect(await unfinished(app)).toEqual([]);
  });

  it("back to where its first issue was deleted, and the second is out of reach: that is the end of it", async () => {
    const app = await givenPaired(await open());
    app.github.createRepository({ owner: "acme", name: "elsewhere" });
    app.github.failNext({ method: "PATCH", with: 500 });
    await moveTo(app, "3");
    await app.settle();
    app.github.as("mona").deleteIssue(SITE, 1);
    await app.settle();
    await moveTo(app, "1");
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    transfer(app, SITE, 2, ELSEWHERE);
    await app.settleWithin(30);

    expect(await unfinished(app)).toEqual([]);
    expect(await app.task()).toMatchObject({ project_id: "1", deleted_at: null });
    const ignored = (await app.story(`record=tasks:${app.taskId}`)).filter((line) =>
      line.startsWith("outbound ignored"),
    );
    expect(ignored.length).toBeLessThan(2);
  });
});

describeOnOneDatabase("an issue that was transferred, and is asked for where it was", (open) => {
  it("the answer leads elsewhere when all has followed: that is no news", async () => {
    const app = await givenComments(await open());
    await app.editTask(app.taskId, { title: "Ours meanwhile" });
    const patch = await catchRequest(app, PATCH_ISSUE);
    transfer(app, SITE, 1, APP);
    await patch.land();
    expect(await app.task()).toMatchObject({ project_id: "2", title: "Ours meanwhile" });
    await patch.answer();
    await app.settleWithin(10);

    expect(await app.pairings(app.taskId)).toMatchObject([
      { connection: APP, integration_external_id: "1", in_sync: true },
    ]);
    expect(issuesOf(app, APP)).toEqual(["open: Ours meanwhile"]);
    expect(await app.story()).not.toContain("inbound completed moved_away");
    await expectAtRest(app);
  });

  it("its first look fails permanently, and more webhooks come: restarted, all follows", async () => {
    const app = await givenComments(await open());
    app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: 422 });
    transfer(app, SITE, 1, APP);
    await app.settle();
    const [failed] = await unfinished(app);
    expect(failed).toMatchObject({ state: "errored", error: { code: "validation_failed" } });
    app.github.faults.webhooks.drop = 1;
    await app.advance(61_000);
    const { id } = app.github.as("mona").comment(APP, 1, "Taken back.");
    app.github.as("mona").deleteComment(APP, id);
    await app.tandem.syncNow();
    await app.settle();
    app.github.clearFaults();
    const url = `http://localhost/api/events/${failed?.id ?? ""}/restart`;
    await app.tandem.fetch(new Request(url, { method: "POST" }));
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "2" });
    expect(await app.story(`record=tasks:${app.taskId}`)).toContain(
      "inbound completed followed_move",
    );
    expect(said(app, APP)).toEqual(["I see it too.", "On it."]);
    await expectAtRest(app);
  });

  it("the task that a poll made of it is edited before it goes: no issue is made for that", async () => {
    const app = await givenPaired(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    await app.advance(61_000);
    await app.tandem.syncNow();
    await app.settle();
    const double = (await app.tasks()).find(({ id }) => id !== app.taskId);
    app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: 500 });
    await app.release(...app.held());
    await app.editTask(double?.id ?? "", { title: "Edited in vain" });
    await app.settle();
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ id: app.taskId, project_id: "2" });
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(app.writes()).toBe(0);
    expect(await lostIn(app)).toEqual(["Edited in vain"]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("comments of an issue that is transferred", (open) => {
  const put = (app: Pair, comment: string, task: string) =>
    app.sql("update comments set task_id = $1 where id = $2", [task, comment]);

  /** Another task, with an issue of its own in project 1. */
  async function givenOther(app: Pair): Promise<string> {
    const other = await app.addTask({ title: "Other" });
    await app.settle();
    await app.advance(5_000);
    app.github.clearRequests();
    return other;
  }

  it("one that was put below its task is said there, and deleted where it was said", async () => {
    const app = await givenComments(await open());
    const other = await givenOther(app);
    app.holdWebhooks();
    transfer(app, SITE, 2, APP);
    await put(app, "2", other);
    await app.settle();
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(said(app, SITE)).toEqual(["I see it too."]);
    expect(said(app, APP)).toEqual(["On it."]);
    expect(await unfinished(app)).toEqual([]);
  });

  it("one that was put below another task stays with that", async () => {
    const app = await givenComments(await open());
    const other = await givenOther(app);
    await put(app, "2", other);
    await app.settle();
    expect(said(app, SITE)).toEqual(["I see it too.", "On it."]);
    transfer(app, SITE, 1, APP);
    await app.settleWithin(10);

    expect(said(app, APP)).toEqual(["I see it too."]);
    expect(app.github.comments(SITE, 2)).toHaveLength(1);
    expect(said(app, SITE)).toEqual(["On it."]);
    expect(await unfinished(app)).toEqual([]);
  });

  it("one that was put below a task over there, before that was told, is said there once", async () => {
    const app = await givenComments(await open());
    const other = await app.addTask({ title: "Other", project_id: "2" });
    await app.settle();
    await app.advance(5_000);
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    await put(app, "2", other);
    await app.settle();
    expect(said(app, APP)).toEqual(["I see it too.", "On it.", "On it."]);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(app.github.comments(APP, 1)).toMatchObject([{ body: expect.stringMatching("On it") }]);
    expect(said(app, APP)).toHaveLength(2);
    expect(await app.comments()).toMatchObject([{ id: "1" }, { id: "2", task_id: other }]);
    expect(await unfinished(app)).toEqual([]);
  });

  it("one that the app deletes meanwhile is deleted there", async () => {
    const app = await givenComments(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    await app.sql("delete from comments where id = 2");
    await app.settle();
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(said(app, APP)).toEqual(["I see it too."]);
    expect(await app.comments()).toMatchObject([{ id: "1" }]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("one that was edited on the way is not taken for one that the app had deleted", async () => {
    const app = await givenComments(await open());
    const { id } = app.github.as("mona").comment(SITE, 1, "Still there.");
    await app.settle();
    app.holdWebhooks();
    await app.sql("delete from comments where id = 1");
    await app.settle();
    await app.advance(5_000);
    app.github.as("mona").editComment(SITE, id, "Gone by now.");
    transfer(app, SITE, 1, APP);
    await app.release(...app.held().slice(-2));
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(said(app, APP)).toEqual(["On it.", "Gone by now."]);
    expect(await app.comments()).toMatchObject([
      { id: "2" },
      { id: "3", markdown: "Gone by now." },
    ]);
    expect(await unfinished(app)).toEqual([]);
  });

  it("one that was told late, below a task that has left: nothing fails", async () => {
    const app = await givenPaired(await open());
    app.holdWebhooks();
    app.github.as("mona").comment(SITE, 1, "Told late.");
    const late = app.held();
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.release(...late);
    await app.settle();
    await moveTo(app, "3");
    await app.settle();
    transfer(app, SITE, 1, APP);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.tandem.enable(app.connection.id);
    await app.settleWithin(30);

    expect(await unfinished(app)).toEqual([]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    expect(await app.comments()).toEqual([]);
  });

  it("below an archived task they wait for it, and come back with it", async () => {
    const app = await givenComments(await open());
    await app.sql("update tasks set deleted_at = tandem.now()");
    await app.settle();
    await app.advance(5_000);
    transfer(app, SITE, 1, APP);
    await app.settleWithin(10);
    expect(await unfinished(app)).toEqual([]);
    expect(await app.story("record=comments:2")).toContain("inbound completed moved_away");
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);

    await app.sql("update tasks set deleted_at = null, project_id = 2");
    await app.settleWithin(10);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(said(app, APP)).toEqual(["I see it too.", "On it."]);
    expect(await app.comments()).toHaveLength(2);
    await app.sql("update comments set markdown = 'Done.' where id = 2");
    await app.settle();
    expect(said(app, APP)).toEqual(["I see it too.", "Done."]);
    await expectAtRest(app);
  });
});
