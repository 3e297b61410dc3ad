/** Moves that simulated histories ended badly: each schedule is told here alone, without the chance. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest } from "../../harness/in-flight.ts";
import {
  APP,
  expectAtRest,
  givenComments,
  givenPaired,
  issuesOf,
  moveTo,
  type Pair,
  said,
  SITE,
  unfinished,
} from "../../harness/projects.ts";

const put = (app: Pair, comment: string, task: string) =>
  app.sql("update comments set task_id = $1 where id = $2", [task, comment]);

describeOnOneDatabase("a comment that is put below a task that nothing is connected to", (open) => {
  it("before it was sent: it waits for nothing, and is made once that task is somewhere", async () => {
    const app = await givenPaired(await open());
    const nowhere = await app.addTask({ title: "Nowhere", project_id: "3" });
    app.github.faults.api.refuseConnections = true;
    await app.addComment(app.taskId, "Not sent yet.");
    await app.settle();
    await put(app, "1", nowhere);
    await app.settle();
    app.github.faults.api.refuseConnections = false;
    app.github.clearRequests();
    await app.settleWithin(10);

    expect(await app.story("record=comments:1")).toEqual([
      "outbound canceled superseded",
      "outbound completed moved_out_of_scope",
    ]);
    expect(await unfinished(app)).toEqual([]);
    expect(app.writes()).toBe(0);

    await app.editTask(nowhere, { project_id: "2" });
    await app.settle();
    expect(issuesOf(app, APP)).toEqual(["open: Nowhere"]);
    expect(said(app, APP)).toEqual(["Not sent yet."]);
    expect(app.writes()).toBe(2);
    expect(await unfinished(app)).toEqual([]);
  });

  it("after it was sent: it is deleted where it was said, as what a task takes along is closed", async () => {
    const app = await givenComments(await open());
    const nowhere = await app.addTask({ title: "Nowhere", project_id: "3" });
    await put(app, "2", nowhere);
    await app.settle();

    expect(said(app, SITE)).toEqual(["I see it too."]);
    const left = (await app.events("record=comments:2")).find(
      ({ reason }) => reason === "moved_out_of_scope",
    );
    expect(left).toMatchObject({
      state: "completed",
      changes: [{ side: "record", field: "task_id", from: app.taskId, to: nowhere }],
    });
    expect(app.writes()).toBe(1);
    expect(await app.comments()).toHaveLength(2);

    await put(app, "2", app.taskId);
    await app.settle();
    expect(said(app, SITE)).toEqual(["I see it too.", "On it."]);
    expect(app.writes()).toBe(2);
    expect(await unfinished(app)).toEqual([]);
  });
});

describeOnOneDatabase("an edit at a comment of ours whose create is not answered yet", (open) => {
  it("is named where its task is moved away meanwhile", async () => {
    const app = await givenPaired(await open());
    await app.addComment(app.taskId, "Ours");
    const { hold, done } = await catchRequest(app, { method: "POST", path: /\/comments$/ });
    hold.apply();
    await app.settle();
    const [comment] = app.github.comments(SITE);
    await moveTo(app, "3");
    await app.settle();
    await app.advance(5_000);
    const theirs = comment?.body.replace("Ours", "Theirs") ?? "";
    app.github.as("mona").editComment(SITE, comment?.id ?? 0, theirs);
    await app.settle();
    hold.release();
    await done;
    await app.settleWithin(10);

    expect(await app.comments()).toMatchObject([{ markdown: "Ours" }]);
    expect(said(app, SITE)).toEqual(["Theirs"]);
    const conflicts = (await app.events("record=comments:1")).flatMap((event) => event.conflicts);
    expect(conflicts).toEqual([
      { field: "body", winner: "record", kept: "Ours", lost: "Theirs", why: "record_moved" },
    ]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a comment that was not sent when its task's issue was deleted", (open) => {
  it("ends for that, although the task had left an issue there before", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "3");
    await app.settle();
    app.github.as("mona").deleteIssue(SITE, 1);
    await app.settle();
    await moveTo(app, "1");
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    app.github.faults.api.refuseConnections = true;
    await app.addComment(app.taskId, "Not sent yet.");
    await app.settle();
    app.github.as("mona").deleteIssue(SITE, 2);
    await app.settle();
    app.github.faults.api.refuseConnections = false;
    app.github.clearRequests();
    await app.settleWithin(10);

    expect(await app.events("record=comments:1")).toMatchObject([
      {
        state: "ignored",
        reason: "parent_deleted",
        ignored_for_id: app.taskId,
        ignored_for_type: "tasks",
      },
    ]);
    expect(app.writes()).toBe(0);
    expect(await unfinished(app)).toEqual([]);
  });
});

describeOnOneDatabase("a person who reverts our latest write to an issue", (open) => {
  it("is named where the task is moved away before anybody hears of it", async () => {
    const app = await givenPaired(await open());
    await app.editTask(app.taskId, { title: "Ours" });
    const { hold, done } = await catchRequest(app, { method: "PATCH", path: /\/issues\/1$/ });
    hold.apply();
    await app.settle();
    await app.advance(5_000);
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").editIssue(SITE, 1, { title: "Broken link" });
    app.github.faults.webhooks.drop = 0;
    await moveTo(app, "2");
    hold.release();
    await done;
    await app.settleWithin(10);

    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Ours"]);
    const named = (await app.events()).flatMap(({ reason, conflicts }) =>
      conflicts.map(({ field, kept, lost }) => ({ reason, field, kept, lost })),
    );
    expect(named).toEqual([
      { reason: "moved_to_connection", field: "title", kept: "Ours", lost: "Broken link" },
    ]);
    expect(app.writes()).toBe(3);
    await expectAtRest(app);
  });
});
