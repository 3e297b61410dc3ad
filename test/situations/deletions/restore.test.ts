/** Deletions of a task that are taken back: its issue comes back with it, if it still can. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";
import { catchRequest, PATCH_ISSUE } from "../../harness/in-flight.ts";
import { givenClosedWithTask, givenSentTask } from "../../harness/sent-tasks.ts";

describeOnOneDatabase("a task that is taken back", (open) => {
  it("reopens the same issue, which was closed with it", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "closed" }]);
    await app.editTask(id, { deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.task()).toMatchObject({ id, title: "Here", status: "todo" });
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "outbound completed closed_resource",
      // A closed pairing ignores its events.
      "inbound ignored tombstoned",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
    ]);
    const [, , closed, , reopened] = await app.events();
    expect(closed?.changes).toEqual([
      { side: "resource", field: "state", from: "open", to: "closed" },
    ]);
    expect(reopened?.changes).toEqual([
      { side: "resource", field: "state", from: "closed", to: "open" },
    ]);
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
    // Closing and reopening; the look before it.
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(2);

    await app.editTask(id, { title: "Still here" });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Still here" });
    expect(app.writes()).toBe(3);
  });

  it("and deleted and taken back again: the issue follows each time", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    for (const [deletedAt, state] of [
      [null, "open"],
      ["2026-03-03T00:00:00Z", "closed"],
      [null, "open"],
    ] as const) {
      await app.advance(5_000);
      await app.editTask(id, { deleted_at: deletedAt });
      await app.settle();
      expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state }]);
    }
    expect(app.writes()).toBe(4);
    expect(app.reads()).toBe(4);
  });

  it("with the status done: its issue stays closed, and nothing is sent", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app, { status: "done" });
    app.github.clearRequests();
    await app.editTask(id, { deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "closed" }]);
    expect(await app.task()).toMatchObject({ status: "done", deleted_at: null });
    expect((await app.story()).at(-1)).toBe("outbound completed nothing_to_send");
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(1);
  });

  it("takes what was edited at GitHub meanwhile, and gives what was edited here", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited there" });
    await app.settle();
    await app.advance(5_000);
    await app.editTask(id, { markdown: "Edited here", deleted_at: null });
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Edited there", markdown: "Edited here" });
    const [issue] = app.github.issues(app.repo);
    expect(issue).toMatchObject({ title: "Edited there", state: "open" });
    expect(issue?.body).toContain("Edited here");
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(2);
  });

  it("with an issue that was reopened meanwhile: nothing is sent", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    app.github.as("mona").reopenIssue(app.repo, 1);
    await app.settle();
    app.github.clearRequests();
    await app.editTask(id, { deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.task()).toMatchObject({ status: "todo" });
    expect(app.writes()).toBe(0);
  });

  it("before its issue was closed: nothing is sent, and the deletion is canceled", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenSentTask(app);
    app.github.faults.api.refuseConnections = true;
    await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
    await app.settle();
    expect((await app.story()).at(-1)).toBe("outbound queued retry");
    await app.editTask(id, { deleted_at: null });
    app.github.faults.api.refuseConnections = false;
    app.github.clearRequests();
    await app.settleWithin(1);

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    const [, , removal, back] = await app.events();
    expect(removal).toMatchObject({ state: "canceled", canceled_by: back?.id });
    expect(back).toMatchObject({ state: "completed", reason: "nothing_to_send" });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(1);
  });

  for (const lands of ["and it was closed", "and it was not"] as const) {
    it(`while nobody knows whether its issue was closed, ${lands}: it is open in the end`, async () => {
      const app = await givenSampleTandem(await open());
      const id = await givenSentTask(app);
      app.github.failNext({
        ...PATCH_ISSUE,
        with: "lost-answer",
        applied: lands === "and it was closed",
      });
      await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
      await app.settle();
      await app.editTask(id, { deleted_at: null });
      await app.settleWithin(1);

      expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
      expect(await app.task()).toMatchObject({ status: "todo", deleted_at: null });
      expect(app.writes()).toBe(lands === "and it was closed" ? 2 : 1);
    });
  }

  it("while the request that closes its issue is on its way: closed, then opened again", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenSentTask(app);
    await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
    const { answer } = await catchRequest(app, PATCH_ISSUE);
    await app.editTask(id, { deleted_at: null });
    await app.settle();
    await answer();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.task()).toMatchObject({ status: "todo", deleted_at: null });
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBeLessThanOrEqual(3);
  });

  it("while the request that closes its issue is failing: the deletion is canceled, and nothing is closed", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenSentTask(app);
    await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
    const { hold, done, land } = await catchRequest(app, PATCH_ISSUE);
    await app.editTask(id, { deleted_at: null });
    await app.settle();
    hold.drop();
    await done;
    await app.settleWithin(2);

    expect((await app.story()).slice(2)).toEqual([
      "outbound canceled superseded",
      "outbound completed nothing_to_send",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.github.calls({ writes: true, applied: true })).toBe(0);

    // It was on its way all the same, and is no wish of anybody's at GitHub.
    await land();
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.task()).toMatchObject({ status: "todo", deleted_at: null });
    expect(app.writes()).toBe(2);
  });

  it("with an issue that a webhook reported as deleted meanwhile: a new issue, and the old pairing stays ended", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();
    await app.advance(5_000);
    await app.editTask(id, { deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Here" }]);
    expect(await app.task()).toMatchObject({ id, deleted_at: null });
    expect(await app.pairings(id)).toMatchObject([
      { integration_external_id: "1", standing: expect.stringContaining("deleted") as string },
      { integration_external_id: "2", in_sync: true },
    ]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);
  });

  it("with an issue that was deleted meanwhile without a webhook: the look finds out, and a new issue follows", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    app.github.faults.webhooks.drop = 0;
    await app.advance(5_000);
    await app.editTask(id, { deleted_at: null });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Here" }]);
    expect(await app.task()).toMatchObject({ id, deleted_at: null });
    expect(await app.pairings(id)).toMatchObject([
      { integration_external_id: "1", standing: expect.stringContaining("deleted") as string },
      { integration_external_id: "2", in_sync: true },
    ]);
    expect((await app.story(`record=tasks:${id}`)).slice(4)).toEqual([
      "outbound ignored tombstoned",
      "inbound completed detached",
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(2);
  });

  it("while its connection is paused: the issue is as the task says once it is enabled", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenSentTask(app);
    const { directory } = app.tandem.services.store;
    await directory.updateConnection(app.connection.id, { outbound: false });
    await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
    await app.settle();
    await app.editTask(id, { deleted_at: null });
    await app.settle();
    expect((await app.story()).slice(2)).toEqual([
      "outbound canceled superseded",
      "outbound disabled connection_paused",
    ]);
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.task()).toMatchObject({ status: "todo", deleted_at: null });
    expect(app.writes()).toBe(0);
  });

  it("deleted before a pause and taken back in it: its issue is opened when the pause ends", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited there" });
    await app.settle();
    const { directory } = app.tandem.services.store;
    await directory.updateConnection(app.connection.id, { outbound: false });
    await app.editTask(id, { deleted_at: null });
    await app.settle();
    expect((await app.story()).at(-1)).toBe("outbound disabled connection_paused");
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Edited there", state: "open" }]);
    expect(await app.task()).toMatchObject({ title: "Edited there", deleted_at: null });
    expect(app.writes()).toBe(2);
  });

  it("and edited before its issue was looked at: what was edited at GitHub meanwhile is not covered", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited there" });
    await app.settle();
    app.github.faults.api.refuseConnections = true;
    await app.editTask(id, { deleted_at: null });
    await app.settle();
    await app.editTask(id, { markdown: "Edited here" });
    await app.settle();
    app.github.faults.api.refuseConnections = false;
    app.github.clearRequests();
    await app.settleWithin(5);

    expect(await app.task()).toMatchObject({ title: "Edited there", markdown: "Edited here" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Edited there", state: "open" }]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("with an issue that is hidden or gone, the look cannot tell which: the sweep can, and a new issue follows", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    app.github.faults.webhooks.drop = 0;
    app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: 404 });
    await app.advance(60_000);
    await app.editTask(id, { deleted_at: null });
    await app.settle();
    expect((await app.story()).at(-1)).toBe("outbound errored failed");
    await app.tandem.sweepNow();
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Here" }]);
    expect(await app.task()).toMatchObject({ id, deleted_at: null });
    expect(app.writes()).toBe(2);
  });

  it("with an issue whose deletion is reported before the look: a new issue, and it is not archived again", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenClosedWithTask(app);
    app.holdWebhooks();
    app.github.as("mona").deleteIssue(app.repo, 1);
    app.github.faults.api.refuseConnections = true;
    await app.editTask(id, { deleted_at: null });
    await app.settle();
    await app.release(...app.held());
    app.github.faults.webhooks.hold = false;
    app.github.faults.api.refuseConnections = false;
    await app.settleWithin(5);

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 2, title: "Here" }]);
    expect(await app.task()).toMatchObject({ id, deleted_at: null });
    expect(app.github.calls({ writes: true, applied: true })).toBe(2);
  });

  it("by its key, after a real deletion: its closed issue is opened again", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenSentTask(app);
    await app.sql("delete from tasks where id = $1", [id]);
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "closed" }]);
    await app.advance(5_000);
    await app.sql(
      `insert into tasks (id, project_id, owner_id, title, modified_at)
       overriding system value values ($1, 1, 1, 'Here again', tandem.now())`,
      [id],
    );
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, title: "Here again", state: "open" },
    ]);
    expect(await app.task()).toMatchObject({ id, title: "Here again" });
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(2);
  });

  it.each([
    ["as its webhook told", 0],
    ["and no webhook told of it yet", 1],
  ])(
    "a comment that is here again by its key gets its own: the old one was deleted, %s",
    async (_, drop) => {
      const app = await givenSampleTandem(await open());
      const task = await givenSentTask(app);
      const id = await app.addComment(task, "Said");
      await app.settle();
      await app.advance(5_000);
      app.github.faults.webhooks.drop = drop;
      await app.sql("delete from comments where id = $1", [id]);
      await app.settle();
      app.github.clearRequests();
      await app.sql(
        `insert into comments (id, task_id, author_id, markdown)
       overriding system value values ($1, $2, 1, 'Said again')`,
        [id, task],
      );
      await app.settle();

      expect(app.github.comments(app.repo)).toHaveLength(1);
      expect(app.github.comments(app.repo)[0]?.body).toContain("Said again");
      expect(await app.comments()).toMatchObject([{ id, markdown: "Said again" }]);
      expect(app.writes()).toBe(1);
      expect(app.reads()).toBe(0);
    },
  );
});
