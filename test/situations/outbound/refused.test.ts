/** Situation 32: a write that GitHub refuses permanently, or because the resource is not there. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const POST_ISSUE = { method: "POST", path: /\/issues$/ };
const PATCH = { method: "PATCH", path: /\/issues\/1$/ };
/** GitHub takes 256 characters. */
const TOO_LONG = "x".repeat(257);

async function restart(app: SampleTandem, event: string): Promise<void> {
  const url = `http://localhost/api/events/${event}/restart`;
  const response = await app.tandem.fetch(
    new Request(url, { method: "POST", headers: { "content-type": "application/json" } }),
  );
  expect(response.status).toBe(200);
}

describeOnOneDatabase("a write that is refused", (open) => {
  it("S32 410 on an update: the issue was deleted, so the task is archived and the edit kept", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Known" });
    await app.settle();
    app.github.clearRequests();
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.advance(5_000);
    await app.editTask(id, { title: "Edited" });
    await app.settle();

    const task = await app.task();
    expect(task).toMatchObject({ id, title: "Edited" });
    expect(task.deleted_at).not.toBeNull();
    expect(app.github.issues(app.repo)).toEqual([]);
    const [, , edit, removal] = await app.events();
    expect(edit).toMatchObject({
      direction: "outbound",
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
      ignored_for_type: "events",
    });
    expect(removal).toMatchObject({
      direction: "inbound",
      action: "delete",
      source: "reread",
      state: "completed",
      reason: "archived_record",
      conflicts: [
        { field: "title", winner: "record", kept: "Edited", lost: null, why: "resource_deleted" },
      ],
    });
    expect((await app.status()).live).toMatchObject({ queued: 0, errored: 0 });
    // The read before the write finds it gone.
    expect(app.writes()).toBe(0);
    // Besides: whether the issue is gone, or the repository has no issues any more.
    expect(app.reads()).toBe(2);
  });

  it("S32 404 on an update: nothing is deleted, and the next edit arrives", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Known" });
    await app.settle();
    app.github.clearRequests();
    app.github.failNext({ ...PATCH, with: 404 });
    await app.editTask(id, { title: "Edited" });
    await app.settleWithin(60);
    const [, , refused] = await app.events();
    expect(refused).toMatchObject({
      state: "errored",
      reason: "failed",
      attempts: 1,
      error: { code: "not_found", httpStatus: 404, retryable: false },
    });
    expect(refused?.error?.hint).not.toBe("");
    await app.tandem.sweepNow();
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id, title: "Edited", deleted_at: null }]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Known" });
    expect(app.writes()).toBe(1);

    await app.editTask(id, { title: "Edited again" });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Edited again" });
    const events = await app.events();
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "outbound canceled superseded",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
    ]);
    expect(events[2]).toMatchObject({ canceled_by: events[3]?.id });
    expect(app.writes()).toBe(2);
  });

  it("S32 404 on an update of what is gone: the sweep confirms it, and the task is archived", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Known" });
    const comment = await app.addComment(id, "Said");
    await app.settle();
    app.github.clearRequests();
    app.github.faults.webhooks.drop = 1;
    const [posted] = app.github.comments(app.repo);
    app.github.as("mona").deleteComment(app.repo, posted?.id ?? 0);
    await app.sql("update comments set markdown = 'Said otherwise' where id = $1", [comment]);
    await app.settle();
    const record = `record=comments:${comment}`;
    expect(await app.events(record)).toMatchObject([
      { state: "completed" },
      { state: "duplicate" },
      { state: "errored", reason: "failed", error: { code: "not_found" } },
    ]);
    expect(await app.comments()).toHaveLength(1);

    await app.advance(60_000);
    await app.tandem.sweepNow();
    await app.settle();
    // An unsent local edit turns the deletion into a detachment.
    expect(await app.comments()).toMatchObject([{ id: comment, markdown: "Said otherwise" }]);
    const [, , edit, removal] = await app.events(record);
    expect(edit).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
    });
    expect(removal).toMatchObject({
      action: "delete",
      state: "completed",
      reason: "detached",
      conflicts: [{ field: "body", winner: "record", kept: "Said otherwise" }],
    });
    expect(app.writes()).toBe(1);
  });

  it("S32 410 on a create: its issue is gone, so the task is archived, and two comments end with it", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Known" });
    await app.settle();
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    app.github.clearRequests();
    await app.addComment(id, "One");
    await app.addComment(id, "Two");
    await app.settleWithin(60);

    expect((await app.task()).deleted_at).not.toBeNull();
    expect(await app.comments()).toHaveLength(2);
    const events = await app.events();
    expect(events.filter(({ record_type }) => record_type === "tasks").at(-1)).toMatchObject({
      action: "delete",
      state: "completed",
      reason: "archived_record",
    });
    const ended = { state: "ignored", reason: "parent_deleted", ignored_for_id: id };
    expect(events.filter(({ record_type }) => record_type === "comments")).toMatchObject([
      ended,
      ended,
    ]);
    // The second is not even sent.
    expect(app.writes()).toBe(1);
  });

  it("S32 422 on a create: errored at once with a hint, and sent when corrected", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: TOO_LONG });
    await app.settleWithin(60);
    const [refused] = await app.events();
    expect(refused).toMatchObject({
      state: "errored",
      reason: "failed",
      attempts: 1,
      error: { code: "validation_failed", httpStatus: 422, retryable: false },
    });
    expect(refused?.error?.hint).toContain("Correct the record's value");
    expect(app.writes()).toBe(1);
    // A poll does not retry a write that cannot succeed unchanged.
    await app.tandem.syncNow();
    await app.settle();
    expect(app.writes()).toBe(1);
    expect(await app.tasks()).toMatchObject([{ id, title: TOO_LONG }]);
    expect(app.github.issues(app.repo)).toEqual([]);

    await app.editTask(id, { title: "Short enough" });
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Short enough" }]);
    const events = await app.events();
    expect(await app.story()).toEqual([
      "outbound canceled superseded",
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(events[0]).toMatchObject({ canceled_by: events[1]?.id });
    expect(app.writes()).toBe(2);
  });

  it("S32 422 on a create, restarted without being corrected: errored again, once", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: 422 }, 2);
    const id = await app.addTask({ title: "Refused" });
    await app.settle();
    const [refused] = await app.events();
    await restart(app, refused?.id ?? "");
    await app.settle();
    expect(await app.story()).toEqual(["outbound errored failed"]);
    expect(app.writes()).toBe(2);

    await restart(app, refused?.id ?? "");
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id, title: "Refused" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(3);
    expect(app.reads()).toBe(0);
  });
});
