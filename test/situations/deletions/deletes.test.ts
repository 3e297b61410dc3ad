/** Situations 38 and 39: deletions at GitHub, late edits after them, and deletions of what nobody saw. */
import { expect, it } from "vitest";
import type { Comment, Delivery } from "../../../src/testing/github/index.ts";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenIssue, givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { postWebhook, twoOf } from "../../harness/webhooks.ts";

describeOnOneDatabase("deletions at GitHub", (open) => {
  it("S38 a comment deleted in the second of its edit, in order: it is gone, and named by what undid it", async () => {
    const { app, edited, deleted } = await givenCommentEditedAndDeleted(await open());
    await app.release(edited);
    await app.settle();
    await app.release(deleted);
    await app.settle();

    expect(await app.comments()).toEqual([]);
    expect(app.github.comments(app.repo, 1)).toEqual([]);
    const [created, edit, removal] = await commentEvents(app);
    expect(created).toMatchObject({ state: "completed", reason: "created_record" });
    // The edit carries the time of the creation, so the comment is read again and is not there:
    // gone or hidden, 404 does not tell. The delete does, and takes the errored edit's place.
    expect(edit).toMatchObject({
      action: "upsert",
      state: "canceled",
      reason: "superseded",
      canceled_by: removal?.id,
      error: { httpStatus: 404 },
    });
    expect(removal).toMatchObject({
      action: "delete",
      state: "completed",
      reason: "deleted_record",
      conflicts: [],
    });
    expect(app.writes()).toBe(0);
    // The comment; and, once for an account, whether the 404 means that repositories have names only.
    expect(app.reads()).toBe(2);
  });

  it("S38 a comment deleted in the second of its edit, both in one batch: the delete takes the edit's place", async () => {
    const { app, edited, deleted } = await givenCommentEditedAndDeleted(await open());
    await app.release(edited, deleted);
    await app.settle();

    expect(await app.comments()).toEqual([]);
    expect(app.github.comments(app.repo, 1)).toEqual([]);
    const [, edit, removal] = await commentEvents(app);
    expect(edit).toMatchObject({
      state: "canceled",
      reason: "superseded",
      canceled_by: removal?.id,
    });
    expect(removal).toMatchObject({ state: "completed", reason: "deleted_record" });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  for (const settling of ["after the delete", "in one batch with it"] as const) {
    it(`S38 a late edit, ${settling}, does not bring a comment back`, async () => {
      const { app, edited, deleted } = await givenCommentEditedAndDeleted(await open());
      await app.release(deleted);
      if (settling === "after the delete") await app.settle();
      await app.release(edited);
      await app.settle();

      expect(await app.comments()).toEqual([]);
      expect(app.github.comments(app.repo, 1)).toEqual([]);
      const [, removal, late] = await commentEvents(app);
      expect(removal).toMatchObject({
        action: "delete",
        state: "completed",
        reason: "deleted_record",
      });
      expect(late).toMatchObject({
        action: "upsert",
        state: "ignored",
        reason: "tombstoned",
        ignored_for_id: removal?.id,
        ignored_for_type: "events",
      });
      expect(app.writes()).toBe(0);
      expect(app.reads()).toBe(0);
    });
  }

  it("S38 neither an edit of a later time nor a poll brings it back", async () => {
    const { app, edited, deleted } = await givenCommentEditedAndDeleted(await open());
    await app.release(deleted);
    await app.settle();
    // As a server with a late replica might send it.
    const later = edited.body.replaceAll(/"updated_at":"2026-03-02T09:00:1\d/g, (time) =>
      time.replace("09:00:1", "09:00:5"),
    );
    expect(later).not.toBe(edited.body);
    await postWebhook(app, { event: "issue_comment", body: later });
    await app.settle();
    await app.advance(120_000);
    await app.tandem.syncNow();
    await app.settle();

    expect(await app.comments()).toEqual([]);
    expect(app.github.comments(app.repo, 1)).toEqual([]);
    const [, removal, late] = await commentEvents(app);
    expect(removal).toMatchObject({ state: "completed", reason: "deleted_record" });
    expect(late).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
    });
    expect(app.writes()).toBe(0);
  });

  it("S38 a comment deleted while its edit here waits: it is kept, detached, and the edit is told", async () => {
    const app = await givenSampleTandem(await open());
    const { comment } = await givenComment(app);
    const [row] = await app.comments();
    app.holdWebhooks();
    app.github.as("mona").deleteComment(app.repo, comment.id);
    await app.sql("update comments set markdown = 'ours' where id = $1", [row?.id]);
    await app.release(...app.held());
    await app.settle();

    expect(await app.comments()).toMatchObject([{ markdown: "ours" }]);
    expect(app.github.comments(app.repo, 1)).toEqual([]);
    const removal = (await commentEvents(app)).find((event) => event.action === "delete");
    expect(removal).toMatchObject({
      direction: "inbound",
      state: "completed",
      reason: "detached",
      conflicts: [
        { field: "body", winner: "record", kept: "ours", lost: null, why: "resource_deleted" },
      ],
    });
    const edit = (await commentEvents(app)).find((event) => event.direction === "outbound");
    expect(edit).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
    });

    // Nor does any later edit bring it back to GitHub.
    await app.advance(5_000);
    await app.sql("update comments set markdown = 'ours again' where id = $1", [row?.id]);
    await app.settle();
    expect((await app.story()).at(-1)).toBe("outbound ignored tombstoned");
    expect(app.github.comments(app.repo, 1)).toEqual([]);
    expect(app.writes()).toBe(0);
  });

  it("S38 an edit here that leaves before the deletion is heard of: refused, then told with it", async () => {
    const app = await givenSampleTandem(await open());
    const { comment } = await givenComment(app);
    const [row] = await app.comments();
    app.holdWebhooks();
    app.github.as("mona").deleteComment(app.repo, comment.id);
    await app.sql("update comments set markdown = 'ours' where id = $1", [row?.id]);
    await app.settle();
    await app.release(...app.held());
    await app.settle();

    expect(await app.comments()).toMatchObject([{ markdown: "ours" }]);
    expect(app.github.comments(app.repo, 1)).toEqual([]);
    const [, refused, removal] = await commentEvents(app);
    expect(removal).toMatchObject({
      action: "delete",
      state: "completed",
      reason: "detached",
      conflicts: [{ winner: "record", kept: "ours", why: "resource_deleted" }],
    });
    expect(refused).toMatchObject({
      direction: "outbound",
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
      ignored_for_type: "events",
      error: { httpStatus: 404 },
    });
    // The read before the write finds that there is nothing to write to.
    expect(app.writes()).toBe(0);
  });

  it("S38 an issue deleted: its task is archived, its comments are let go, and a late edit changes nothing", async () => {
    const app = await givenSampleTandem(await open());
    await givenComment(app);
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited" });
    app.github.as("mona").deleteIssue(app.repo, 1);
    const [edited, deleted] = twoOf(app.held());
    await app.release(deleted);
    await app.settle();
    await app.release(edited);
    await app.settle();

    const task = await app.task();
    expect(task).toMatchObject({ title: "Talk" });
    expect(task.deleted_at).not.toBeNull();
    expect(app.github.issues(app.repo)).toEqual([]);
    const events = (await app.events()).filter((event) => event.resource_type === "issue");
    const [, , removal, late] = events;
    expect(removal).toMatchObject({
      action: "delete",
      state: "completed",
      reason: "archived_record",
    });
    expect(late).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
      ignored_for_type: "events",
    });
    // Archiving the task here is our own write, and no wish to close what is gone.
    expect((await app.events("direction=outbound")).map(({ state }) => state)).not.toContain(
      "errored",
    );
    expect(app.writes()).toBe(0);
  });

  it("S38 an issue deleted whose task was edited and archived: the app's own time stays, and the edit is told", async () => {
    const app = await givenIssue(await open(), "Known");
    const { id } = await app.task();
    const archivedAt = "2026-01-02 03:04:05+00";
    await app.editTask(id, { title: "Never sent" });
    await app.editTask(id, { deleted_at: archivedAt });
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.advance(1_000);
    await app.github.answered();
    await translateDeliveries(app.tandem.services, null);
    await app.settle();

    const [row] = await app.sql<{ same: boolean }>(
      "select deleted_at = $1::timestamptz as same from tasks",
      [archivedAt],
    );
    expect(row).toEqual({ same: true });
    const events = await app.events("direction=inbound");
    expect(events.at(-1)).toMatchObject({
      state: "completed",
      reason: "nothing_to_delete",
      conflicts: [
        { field: "title", winner: "record", kept: "Never sent", why: "resource_deleted" },
      ],
    });
    expect(app.github.issues(app.repo)).toEqual([]);
    expect(app.writes()).toBe(0);
  });

  it("S38 a task archived with its issue and taken back by hand: a new issue, once", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Gone" });
    await app.settle();
    await app.advance(5_000);
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();
    await app.advance(5_000);
    const { id } = await app.task();
    await app.editTask(id, { title: "Still archived" });
    await app.settle();
    expect(app.writes()).toBe(0);
    await app.editTask(id, { deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Still archived" }]);
    expect(await app.task()).toMatchObject({ title: "Still archived", deleted_at: null });
    expect(app.writes()).toBe(1);
    await app.editTask(id, { title: "Back" });
    await app.settle();
    expect(app.github.issue(app.repo, 2)).toMatchObject({ title: "Back" });
    expect((await app.story("direction=outbound")).slice(-2)).toEqual([
      "outbound completed created_resource",
      "outbound completed updated_resource",
    ]);
    expect(app.writes()).toBe(2);
  });

  it("S39 deletion of a comment never seen, of an issue never seen: the task is created, and nothing else", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "Talk" });
    const comment = app.github.as("mona").comment(app.repo, 1, "Oops");
    app.github.faults.webhooks.drop = 0;
    await app.advance(5_000);
    app.github.as("mona").deleteComment(app.repo, comment.id);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Talk" });
    expect(await app.comments()).toEqual([]);
    expect(app.github.issues(app.repo)).toMatchObject([
      { title: "Talk", state: "open", comments: 0 },
    ]);
    expect(app.github.comments(app.repo)).toEqual([]);
    expect(await commentEvents(app)).toMatchObject([
      {
        action: "delete",
        state: "completed",
        reason: "nothing_to_delete",
        integration_external_id: String(comment.id),
        record_id: null,
      },
    ]);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed nothing_to_delete",
    ]);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  it("S39 deletion of an issue never seen: no task, and what comes late makes none", async () => {
    const app = await givenSampleTandem(await open());
    app.holdWebhooks();
    app.github.as("octocat").openIssue(app.repo, { title: "Spam" });
    app.github.as("octocat").deleteIssue(app.repo, 1);
    const [opened, deleted] = twoOf(app.held());
    await app.release(deleted);
    await app.settle();
    expect(await app.tasks()).toEqual([]);
    await app.release(opened);
    await app.settle();

    expect(await app.tasks()).toEqual([]);
    expect(await app.users()).toHaveLength(1);
    expect(app.github.issues(app.repo)).toEqual([]);
    const [removal, late] = await app.events();
    expect(removal).toMatchObject({
      action: "delete",
      state: "completed",
      reason: "nothing_to_delete",
    });
    expect(late).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
      ignored_for_type: "events",
    });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  it("S39 a comment whose creation comes after its deletion is not created", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Talk" });
    await app.settle();
    app.holdWebhooks();
    const comment = app.github.as("mona").comment(app.repo, 1, "Oops");
    app.github.as("mona").deleteComment(app.repo, comment.id);
    const [created, deleted] = twoOf(app.held());
    await app.release(deleted, created);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Talk" });
    expect(await app.comments()).toEqual([]);
    expect(app.github.issues(app.repo)).toMatchObject([
      { title: "Talk", state: "open", comments: 0 },
    ]);
    expect(app.github.comments(app.repo)).toEqual([]);
    const [removal, late] = await commentEvents(app);
    expect(removal).toMatchObject({ state: "completed", reason: "nothing_to_delete" });
    expect(late).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
    });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });
});

/** A task with a comment, both from GitHub and paired. */
async function givenComment(app: SampleTandem): Promise<{ readonly comment: Comment }> {
  const mona = app.github.as("mona");
  mona.openIssue(app.repo, { title: "Talk" });
  await app.advance(10_000);
  const comment = mona.comment(app.repo, 1, "theirs");
  await app.settle();
  return { comment };
}

/** A paired comment that was then edited and deleted in the second it was made; both are held. */
async function givenCommentEditedAndDeleted(database: TestDatabase): Promise<{
  readonly app: SampleTandem;
  readonly edited: Delivery;
  readonly deleted: Delivery;
}> {
  const app = await givenSampleTandem(database);
  const { comment } = await givenComment(app);
  app.holdWebhooks();
  app.github.as("mona").editComment(app.repo, comment.id, "edited");
  app.github.as("mona").deleteComment(app.repo, comment.id);
  const [edited, deleted] = twoOf(app.held());
  return { app, edited, deleted };
}

async function commentEvents(app: SampleTandem) {
  return (await app.events()).filter((event) => event.resource_type === "issue_comment");
}
