/** Schedules that simulated histories have found: each is told here alone, without the chance. */
import { expect, it } from "vitest";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { claimDue } from "../../../src/runtime/worker/claim-due.ts";
import { processClaimed } from "../../../src/runtime/worker/process-claimed.ts";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest, dieSending, PATCH_ISSUE, POST_ISSUE } from "../../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("a task archived, and taken back, before its create is answered", (open) => {
  it("keeps its owner: that its issue is by us says nothing of whose it is", async () => {
    const app = await givenSampleTandem(await open());
    const [ada] = await app.sql<{ id: string }>(
      "insert into users (name) values ('Ada') returning id::text",
    );
    const id = await app.addTask({ title: "Hers" });
    await app.sql("update tasks set owner_id = $2 where id = $1", [id, ada?.id]);
    const create = await dieSending(app, POST_ISSUE);
    await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
    create.apply();
    await app.advance(60_000);
    const closing = await catchRequest(app, PATCH_ISSUE);
    await app.editTask(id, { deleted_at: null });
    await closing.answer();
    await app.settleWithin(60);

    expect(await app.task()).toMatchObject({
      title: "Hers",
      owner_id: ada?.id,
      deleted_at: null,
    });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Hers", state: "open" }]);
    expect(app.writes()).toBe(3);
    expect(await app.events("state=errored")).toEqual([]);
  });
});

describeOnOneDatabase("a resource that belongs to a deleted one", (open) => {
  it("a comment on the issue of a deleted task is told, and is nobody's record", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenPairedTask(app);
    await app.sql("delete from tasks where id = $1", [task]);
    await app.settle();

    app.github.as("mona").comment(app.repo, 1, "Why was it closed?");
    await app.settle();

    expect(await app.comments()).toEqual([]);
    const [last] = await commentEvents(app);
    expect(last).toMatchObject({
      direction: "inbound",
      state: "ignored",
      reason: "parent_deleted",
      ignored_for_id: task,
      ignored_for_type: "tasks",
    });
  });

  it("a comment waits no longer where its task was archived before it ever had an issue", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.api.down = true;
    const task = await app.addTask({ title: "Never sent" });
    await app.addComment(task, "Nor this");
    await app.settle();
    await app.sql("update tasks set deleted_at = tandem.now() where id = $1", [task]);
    await app.settle();
    app.github.faults.api.down = false;
    await app.settleWithin(60);

    expect(app.github.issues(app.repo)).toEqual([]);
    const [last] = await commentEvents(app);
    expect(last).toMatchObject({
      direction: "outbound",
      state: "ignored",
      reason: "parent_deleted",
      ignored_for_id: task,
      ignored_for_type: "tasks",
    });
  });
});

describeOnOneDatabase("a deletion that GitHub answers with 404", (open) => {
  it("may not have happened, so the sweep carries it out once more", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenPairedTask(app);
    app.github.failNext({ method: "PATCH", with: 404 });
    await app.sql("delete from tasks where id = $1", [task]);
    await app.settle();
    expect(app.github.issue(app.repo, 1)?.state).toBe("open");
    expect((await app.story()).at(-1)).toBe("outbound completed resource_not_found");

    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issue(app.repo, 1)?.state).toBe("closed");
    const told = await app.story();
    expect(told).toContain("outbound completed closed_resource");
  });
});

describeOnOneDatabase("a deletion that was taken back", (open) => {
  it("while its worker had died and the connection was paused is not carried out after all", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenPairedTask(app);
    await app.sql("update tasks set deleted_at = tandem.now() where id = $1", [task]);
    const late = await dieSending(app, { method: "PATCH" });
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.sql("update tasks set deleted_at = null where id = $1", [task]);
    await app.settle();
    // The deletion's lease runs out: it goes back, and is switched off like what took it back.
    await app.advance(60_000);
    await app.settle();
    late.apply();
    app.github.clearRequests();
    await app.tandem.enable(app.connection.id);
    await app.settleWithin(60);

    expect(await app.task()).toMatchObject({ deleted_at: null, title: "Title" });
    expect(app.github.issue(app.repo, 1)?.state).toBe("open");
    const told = await app.story();
    expect(told).toContain("outbound canceled superseded");
    expect(told).not.toContain("outbound completed closed_resource");
    // The close had been sent and landed late: one look finds it, and one write undoes it.
    expect(app.github.calls({ writes: true })).toBe(1);
  });
});

describeOnOneDatabase("a surplus comment", (open) => {
  it("that somebody edited goes all the same, and its words stay in the ledger", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenPairedTask(app);
    await app.addComment(task, "Posted twice");
    const late = await dieSending(app, { method: "POST", path: /\/comments$/ });
    await app.advance(60_000);
    await app.settle();
    late.apply();
    await app.settle();
    const [bound, surplus] = app.github.comments(app.repo);
    if (surplus === undefined) throw new Error("the late comment should be there");
    // Only the sweep will see the edit.
    app.github.faults.webhooks.drop = 1;
    const words = surplus.body.replace("Posted twice", "Posted twice, and answered here");
    app.github.as("mona").editComment(app.repo, surplus.id, words);

    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.comments(app.repo).map(({ id }) => id)).toEqual([bound?.id]);
    expect(await app.comments()).toMatchObject([{ markdown: "Posted twice" }]);
    const swept = (await commentEvents(app)).filter(({ source }) => source === "reread");
    expect(swept).toMatchObject([
      {
        state: "ignored",
        reason: "surplus",
        integration_external_id: String(surplus.id),
        content: { body: "Posted twice, and answered here" },
      },
    ]);
  });
});

describeOnOneDatabase("an edit is named where", (open) => {
  it("our write covered it, and it said again what an earlier write of ours had said", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenPairedTask(app);
    const mona = app.github.as("mona");
    await app.editTask(task, { title: "Again" });
    await app.settle();
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Theirs" });
    await app.settle();
    await app.advance(5_000);
    await app.editTask(task, { title: "Ours" });
    app.github.clearRequests();
    const hold = app.github.holdNext({ method: "PATCH" });
    const settling = app.tandem.settle();
    await hold.arrived;
    app.holdWebhooks();
    mona.editIssue(app.repo, 1, { title: "Again" });
    await app.advance(5_000);
    hold.release();
    await settling;
    await app.release(...app.held());
    await app.settle();

    expect((await app.task()).title).toBe("Ours");
    expect(app.github.issue(app.repo, 1)?.title).toBe("Ours");
    expect(await lost(app)).toContain("Again");
    expect((await app.story()).slice(-2)).toContain("inbound ignored later_event");
    expect(app.github.calls({ writes: true })).toBe(1);
  });

  it("our write covered it, and its webhook came while the connection was paused", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenPairedTask(app);
    await app.advance(5_000);
    await app.editTask(task, { title: "Ours" });
    const hold = app.github.holdNext({ method: "PATCH" });
    const settling = app.tandem.settle();
    await hold.arrived;
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(1_000);
    hold.release();
    await settling;
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.release(...app.held());
    await app.settle();
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect((await app.task()).title).toBe("Ours");
    expect(app.github.issue(app.repo, 1)?.title).toBe("Ours");
    expect(await lost(app)).toContain("Theirs");
  });

  it("it was unsent, its resource was deleted, and the record too before that was known", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenPairedTask(app);
    app.github.faults.api.down = true;
    await app.editTask(task, { title: "Unsent" });
    await app.settle();
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.sql("delete from tasks where id = $1", [task]);
    await app.advance(50);
    await app.github.answered();
    await translateFirst(app);
    app.github.faults.api.down = false;
    await app.settleWithin(60);

    expect(await lost(app)).toContain("Unsent");
  });

  it("it could not be read: our write looks before it covers what nobody has seen", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenPairedTask(app);
    await app.advance(5_000);
    const mona = app.github.as("mona");
    app.holdWebhooks();
    mona.editIssue(app.repo, 1, { body: "A body" });
    mona.editIssue(app.repo, 1, { title: "Theirs" });
    const [older, newer] = app.held();
    if (older === undefined || newer === undefined) throw new Error("two webhooks were expected");
    // Two edits of one second, told in the wrong order: which is the later one only a read can tell.
    await app.release(newer, older);
    app.github.failNext({ method: "GET", with: 422 });
    await app.settle();
    await app.advance(5_000);
    await app.editTask(task, { title: "Ours" });
    app.github.faults.webhooks.hold = false;
    await app.settleWithin(60);

    expect((await app.task()).title).toBe("Ours");
    expect(app.github.issue(app.repo, 1)?.title).toBe("Ours");
    expect(await lost(app)).toContain("Theirs");
  });
});

/** A task and its issue, number 1. */
async function givenPairedTask(app: SampleTandem): Promise<string> {
  const task = await app.addTask({ title: "Title" });
  await app.settle();
  await app.advance(5_000);
  return task;
}

/** The deletion at GitHub is worked on before the app's own write is drained. */
async function translateFirst(app: SampleTandem): Promise<void> {
  const { services } = app.tandem;
  await translateDeliveries(services, null);
  const book = await DirectorySnapshot.open(services);
  const { signal } = new AbortController();
  for (const claimed of await claimDue(services, book, "a worker", 60_000, 4)) {
    await processClaimed(services, claimed, book, signal);
  }
}

async function commentEvents(app: SampleTandem) {
  return (await app.events()).filter((event) => event.resource_type === "issue_comment").slice(-1);
}

async function lost(app: SampleTandem): Promise<readonly unknown[]> {
  return (await app.events()).flatMap(({ conflicts }) => conflicts.map((each) => each.lost));
}

describeOnOneDatabase("a task taken back and archived again", (open) => {
  it("while the look at its issue finds it gone: no new issue is made for what is archived", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Here" });
    await app.settle();
    await app.editTask(id, { deleted_at: "2026-01-01T00:00:00Z" });
    await app.settle();
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    app.github.faults.webhooks.drop = 0;
    await app.advance(5_000);
    app.github.clearRequests();

    await app.editTask(id, { deleted_at: null });
    const look = await catchRequest(app, { method: "GET", path: /\/issues\/1$/ });
    await app.editTask(id, { deleted_at: "2026-01-02T00:00:00Z" });
    look.hold.release();
    await look.done;
    await app.settle();

    expect(app.github.issues(app.repo)).toEqual([]);
    expect((await app.task()).deleted_at).not.toBeNull();
    expect((await app.story()).slice(-2)).toEqual([
      "outbound ignored tombstoned",
      "inbound completed nothing_to_delete",
    ]);
    expect(app.writes()).toBe(0);
    // The look; and whether the issue is gone, or the repository has no issues any more.
    expect(app.reads()).toBe(2);
  });
});
