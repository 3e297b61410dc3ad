/** A task that is taken back: what was said on either side while it was deleted follows it. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";
import { PATCH_ISSUE } from "../../harness/in-flight.ts";
import { givenClosedWithTask, givenSentTask } from "../../harness/sent-tasks.ts";

describeOnOneDatabase("the comments of a task that is taken back", (open) => {
  it("one made on its issue meanwhile becomes a row, once", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenClosedWithTask(app);
    app.github.as("mona").comment(app.repo, 1, "Why?");
    await app.settle();
    expect(await app.comments()).toEqual([]);
    expect((await app.story()).at(-1)).toBe("inbound ignored parent_deleted");
    app.github.clearRequests();
    await app.editTask(task, { deleted_at: null });
    await app.settle();

    expect(await app.comments()).toMatchObject([{ task_id: task, markdown: "Why?" }]);
    const [comment] = await app.comments();
    expect(await app.story(`record=comments:${comment?.id ?? ""}`)).toEqual([
      "inbound ignored parent_deleted",
      "inbound completed created_record",
    ]);
    // The issue is opened again; the looks at it and at the comment.
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(2);

    await app.tandem.syncNow();
    await app.tandem.sweepNow();
    await app.settle();
    expect(await app.comments()).toHaveLength(1);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(app.writes()).toBe(1);
  });

  it("one whose row was written meanwhile gets its comment, once", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenClosedWithTask(app);
    await app.addComment(task, "Written meanwhile");
    await app.settle();
    expect(app.github.comments(app.repo)).toEqual([]);
    app.github.clearRequests();
    await app.editTask(task, { deleted_at: null });
    await app.settle();

    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(app.github.comments(app.repo)[0]?.body).toContain("Written meanwhile");
    expect(await app.comments()).toHaveLength(1);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);

    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(app.writes()).toBe(2);
  });

  it("one that waited for its issue when the task was deleted gets its comment", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    app.github.faults.api.refuseConnections = true;
    const id = await app.addComment(task, "Not sent yet");
    await app.settle();
    await app.editTask(task, { deleted_at: "2026-03-02T10:00:00Z" });
    app.github.faults.api.refuseConnections = false;
    await app.settleWithin(5);
    expect((await app.story(`record=comments:${id}`)).at(-1)).toBe(
      "outbound ignored parent_deleted",
    );
    await app.editTask(task, { deleted_at: null });
    await app.settle();

    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(await app.story(`record=comments:${id}`)).toEqual([
      "outbound ignored parent_deleted",
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
  });

  it("on both sides, beside its own edit and a pair that agrees: each once, and no call for the pair", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    const paired = await app.addComment(task, "Said before");
    await app.settle();
    await app.advance(5_000);
    await app.editTask(task, { deleted_at: "2026-03-02T10:00:00Z" });
    await app.settle();
    app.github.as("mona").comment(app.repo, 1, "There");
    await app.settle();
    await app.addComment(task, "Here");
    await app.settle();
    await app.advance(5_000);
    app.github.clearRequests();
    await app.editTask(task, { title: "Edited", deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, title: "Edited", state: "open" },
    ]);
    expect((await app.comments()).map(({ markdown }) => markdown).sort()).toEqual([
      "Here",
      "Said before",
      "There",
    ]);
    expect(app.github.comments(app.repo)).toHaveLength(3);
    expect(await app.story(`record=comments:${paired}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    // The issue and the comment; the looks at the issue and at Mona's comment.
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(2);

    await app.tandem.sweepNow();
    await app.settle();
    expect(await app.comments()).toHaveLength(3);
    expect(app.github.comments(app.repo)).toHaveLength(3);
    expect(app.writes()).toBe(2);
  });

  it("that a person deleted again meanwhile stay away", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenClosedWithTask(app);
    const comment = app.github.as("mona").comment(app.repo, 1, "Never mind");
    await app.settle();
    app.github.as("mona").deleteComment(app.repo, comment.id);
    await app.settle();
    app.github.clearRequests();
    await app.editTask(task, { deleted_at: null });
    await app.settle();

    expect(await app.comments()).toEqual([]);
    expect(app.reads()).toBe(1);
  });

  it("wait for the issue to be seen alive: nothing is hung on one that is gone", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    const paired = await app.addComment(task, "Said before");
    await app.settle();
    await app.advance(5_000);
    await app.editTask(task, { deleted_at: "2026-03-02T10:00:00Z" });
    await app.settle();
    const id = await app.addComment(task, "Here");
    await app.settle();
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    app.github.faults.webhooks.drop = 0;
    await app.advance(5_000);
    app.github.clearRequests();
    await app.editTask(task, { deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Here" }]);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(app.github.comments(app.repo)[0]?.body).toContain("Here");
    expect(await app.story(`record=comments:${id}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    // The comment that was paired with one of the deleted issue stays as it was.
    expect(await app.story(`record=comments:${paired}`)).toHaveLength(2);
    expect(app.writes()).toBe(2);
  });

  for (const told of ["while it was deleted", "before the look"] as const) {
    it(`get another issue to hang on, where the old one's deletion was told ${told}`, async () => {
      const app = await givenSampleTandem(await open());
      const task = await givenClosedWithTask(app);
      await app.addComment(task, "Here");
      await app.settle();
      if (told === "before the look") {
        app.holdWebhooks();
        app.github.faults.api.refuseConnections = true;
      }
      app.github.as("mona").deleteIssue(app.repo, 1);
      await app.settle();
      await app.editTask(task, { deleted_at: null });
      await app.settle();
      await app.release(...app.held());
      app.github.faults.webhooks.hold = false;
      app.github.faults.api.refuseConnections = false;
      await app.settleWithin(5);

      expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Here" }]);
      expect(app.github.comments(app.repo)).toHaveLength(1);
      expect(await app.comments()).toHaveLength(1);
    });
  }

  it("follow a task that was archived with its issue and is unarchived", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();
    expect((await app.task()).deleted_at).not.toBeNull();
    await app.addComment(task, "Here");
    await app.settle();
    app.github.clearRequests();
    await app.editTask(task, { deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Here" }]);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(0);
  });

  it("follow one that was deleted before it had an issue", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.api.refuseConnections = true;
    const task = await app.addTask({ title: "Here" });
    await app.settle();
    await app.editTask(task, { deleted_at: "2026-03-02T10:00:00Z" });
    await app.settle();
    await app.addComment(task, "Said");
    await app.settle();
    await app.editTask(task, { deleted_at: null });
    await app.settle();
    app.github.faults.api.refuseConnections = false;
    await app.settleWithin(10);

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(await app.comments()).toHaveLength(1);
  });

  it("follow when a pause ends that the task was taken back in", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenClosedWithTask(app);
    app.github.as("mona").comment(app.repo, 1, "Why?");
    await app.addComment(task, "Because");
    await app.settle();
    const { directory } = app.tandem.services.store;
    await directory.updateConnection(app.connection.id, { inbound: false, outbound: false });
    await app.editTask(task, { deleted_at: null });
    await app.settle();
    expect(await app.comments()).toHaveLength(1);
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.comments()).toHaveLength(2);
    expect(app.github.comments(app.repo)).toHaveLength(2);
  });

  it("follow although the answer that opens its issue is lost", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenClosedWithTask(app);
    app.github.as("mona").comment(app.repo, 1, "Why?");
    await app.addComment(task, "Because");
    await app.settle();
    app.github.failNext({ ...PATCH_ISSUE, with: "lost-answer" });
    await app.editTask(task, { deleted_at: null });
    await app.settleWithin(1);

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.comments()).toHaveLength(2);
    expect(app.github.comments(app.repo)).toHaveLength(2);
  });
});
