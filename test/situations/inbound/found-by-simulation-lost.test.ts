/** Edits that simulated histories found lost: each schedule is told here alone, without the chance. */
import { expect, it } from "vitest";
import { SAMPLE_SCHEMA } from "../../../src/demo/sample-schema.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest, dieSending } from "../../harness/in-flight.ts";
import { withLabels } from "../../harness/sample-labels.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("an edit under our own write, whose webhook was lost", (open) => {
  for (const look of ["sweep", "reconcile"] as const) {
    it(`is named where only a ${look} has listed it, which failed on the page after`, async () => {
      const app = await givenSampleTandem(await open());
      const task = await app.addTask({ title: "Title" });
      await app.settle();
      await app.advance(60_000);
      app.github.clearRequests();

      await app.editTask(task, { title: "Ours" });
      const patch = await catchRequest(app, { method: "PATCH" });
      app.github.faults.webhooks.drop = 1;
      app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
      app.github.faults.webhooks.drop = 0;
      app.github.failNext({ method: "GET", path: /\/issues\/comments$/, with: 503 });
      const looking =
        look === "sweep" ? app.tandem.sweepNow() : app.tandem.reconcile(app.connection.id);
      await expect(looking).rejects.toThrow("503");
      await app.advance(2_000);
      patch.hold.release();
      await patch.done;
      await app.settle();

      expect((await app.task()).title).toBe("Ours");
      expect(app.github.issue(app.repo, 1)?.title).toBe("Ours");
      expect(await named(app)).toContainEqual({
        field: "title",
        winner: "record",
        kept: "Ours",
        lost: "Theirs",
        why: "covered_by_our_write",
      });
      expect(app.writes()).toBe(1);
      // Before the write, and the two lists: what was seen under it is older than what it was answered.
      expect(app.reads()).toBe(3);
    });
  }
});

describeOnOneDatabase("an edit of a comment that we were about to delete", (open) => {
  it("is named where all of it was heard of while the connection was paused", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Title" });
    await app.addComment(task, "Here");
    await app.settle();
    await app.advance(60_000);
    const [comment] = app.github.comments(app.repo);
    if (comment === undefined) throw new Error("the comment should be there");

    app.holdWebhooks();
    const answer = comment.body.replace("Here", "Here, and answered");
    app.github.as("mona").editComment(app.repo, comment.id, answer);
    await app.sql("delete from comments");
    await app.settle();
    expect(app.github.comments(app.repo)).toEqual([]);
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.release(...app.held());
    await app.settle();
    app.github.clearRequests();
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(await app.comments()).toEqual([]);
    const told = (await app.events()).flatMap(({ resource_type, direction, state, reason }) =>
      resource_type === "issue_comment" ? [`${direction} ${state} ${reason}`] : [],
    );
    expect(told.slice(-3)).toEqual([
      "outbound completed deleted_resource",
      "inbound canceled superseded",
      "inbound completed nothing_to_delete",
    ]);
    expect(await named(app)).toEqual([
      {
        field: "body",
        winner: "record",
        kept: null,
        lost: "Here, and answered",
        why: "record_deleted",
      },
    ]);
    // The comment's webhook has told of its issue too, which is looked at again.
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(1);
  });
});

describeOnOneDatabase("an edit that was heard of while the connection was paused", (open) => {
  it("is not covered by an earlier one of its second that comes when it is enabled: both are read", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Title", markdown: "Text" });
    await app.settle();
    await app.advance(60_000);
    await app.settle();
    app.holdWebhooks();
    app.github.clearRequests();
    const mona = app.github.as("mona");
    mona.editIssue(app.repo, 1, { title: "Their title" });
    mona.editIssue(app.repo, 1, { body: "Their text" });
    const [earlier, later] = app.held();
    if (earlier === undefined || later === undefined) throw new Error("two webhooks are held");

    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.release(later);
    await app.settle();
    await app.tandem.enable(app.connection.id);
    await app.release(earlier);
    await app.settle();

    const both = { title: "Their title", markdown: "Their text" };
    expect(await app.task()).toMatchObject(both);
    const story = await app.story("direction=inbound");
    expect(story.slice(-2)).toEqual([
      "inbound canceled superseded",
      "inbound completed updated_record",
    ]);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(1);
  });
});

describeOnOneDatabase("a label that was added here and taken off again", (open) => {
  it("does not come back with a dead worker's late write, though somebody has added one since", async () => {
    const database = await open();
    await database.sql(SAMPLE_SCHEMA);
    await database.sql("alter table tasks add column labels text[] not null default '{}'");
    const app = await givenSampleTandem(database, withLabels);
    const task = await app.addTask({ title: "Title" });
    await app.settle();
    await app.advance(5_000);
    const label = (labels: string) =>
      app.sql("update tasks set labels = $1 where id = $2", [labels, task]);
    await label("{ours}");
    const late = await dieSending(app, { method: "POST", path: /\/issues\/1\/labels$/ });
    await label("{}");
    await app.advance(60_000);
    await app.settle();
    expect(app.github.issue(app.repo, 1)?.labels).toEqual([]);

    // It lands when a look has not found it, and nobody hears of it alone.
    app.github.faults.webhooks.drop = 1;
    late.apply();
    app.github.faults.webhooks.drop = 0;
    app.github.clearRequests();
    app.github.as("mona").addLabel(app.repo, 1, "theirs");
    await app.settle();

    const [row] = await app.sql<{ labels: readonly string[] }>("select labels from tasks");
    expect(row?.labels).toEqual(["theirs"]);
    expect(app.github.issue(app.repo, 1)?.labels).toEqual(["theirs"]);
    expect(await named(app)).toEqual([
      {
        field: "labels",
        winner: "record",
        kept: ["theirs"],
        lost: ["ours", "theirs"],
        why: "late_write",
      },
    ]);
    expect(app.writes()).toBe(1);
  });
});

describeOnOneDatabase("a label of theirs that our own late write took off", (open) => {
  /** A dead worker takes "theirs" off; that lands when "theirs" was added again, and no webhook reports it. */
  async function givenTakenOff() {
    const database = await open();
    await database.sql(SAMPLE_SCHEMA);
    await database.sql("alter table tasks add column labels text[] not null default '{}'");
    const app = await givenSampleTandem(database, withLabels);
    const task = await app.addTask({ title: "Title" });
    const label = (to: string) => app.sql("update tasks set labels = $1 where id = $2", [to, task]);
    await label("{ours,theirs}");
    await app.settle();
    await app.advance(5_000);
    await label("{ours}");
    const late = await dieSending(app, { method: "DELETE", path: /\/labels\/theirs$/ });
    await app.advance(60_000);
    await app.settle();
    expect(app.github.issue(app.repo, 1)?.labels).toEqual(["ours"]);
    const mona = app.github.as("mona");
    mona.addLabel(app.repo, 1, "theirs");
    await app.settle();
    expect(await labels(app)).toEqual(["ours", "theirs"]);
    const land = () => {
      app.github.faults.webhooks.drop = 1;
      late.apply();
      app.github.faults.webhooks.drop = 0;
      expect(app.github.issue(app.repo, 1)?.labels).toEqual(["ours"]);
    };
    const remove = () => app.sql("delete from tasks where id = $1", [task]);
    return { app, mona, land, remove };
  }
  const labels = async (app: SampleTandem) =>
    (await app.sql<{ labels: readonly string[] }>("select labels from tasks"))[0]?.labels;

  it("comes back, though a poll shows that only an hour later", async () => {
    const { app, land } = await givenTakenOff();
    land();
    await app.advance(3_600_000);
    app.github.clearRequests();
    await app.tandem.syncNow();
    await app.settle();

    expect(await labels(app)).toEqual(["ours", "theirs"]);
    expect(app.github.issue(app.repo, 1)?.labels).toEqual(["ours", "theirs"]);
    expect(await named(app)).toEqual([
      {
        field: "labels",
        winner: "record",
        kept: ["ours", "theirs"],
        lost: ["ours"],
        why: "late_write",
      },
    ]);
    expect(app.writes()).toBe(1);
  });

  it("is named where the issue was edited when our write could land no more: somebody may have done it", async () => {
    const { app, mona, land } = await givenTakenOff();
    land();
    await app.advance(3_600_000);
    app.github.clearRequests();
    mona.editIssue(app.repo, 1, { title: "Their title" });
    await app.settle();

    expect(await labels(app)).toEqual(["ours"]);
    expect((await app.task()).title).toBe("Their title");
    expect(await named(app)).toEqual([
      {
        field: "labels",
        winner: "resource",
        kept: ["ours"],
        lost: ["ours", "theirs"],
        why: "perhaps_late_write",
      },
    ]);
    expect(app.writes()).toBe(0);
  });

  const gone = {
    field: "labels",
    winner: "record",
    kept: ["ours"],
    lost: ["ours", "theirs"],
    why: "perhaps_late_write",
  };

  it("is named where the task was deleted before that, once, by the poll that shows it", async () => {
    const { app, land, remove } = await givenTakenOff();
    await remove();
    await app.settle();
    await app.advance(1_000);
    land();
    await app.tandem.syncNow();
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();

    expect(await named(app)).toEqual([gone]);
    expect((await app.story()).at(-1)).toBe("inbound ignored tombstoned");
  });

  it("is named where the task is deleted after that, by the answer to what closes its issue", async () => {
    const { app, land, remove } = await givenTakenOff();
    land();
    await remove();
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();

    expect(await named(app)).toEqual([gone]);
  });

  it("is none where an edit has shown since that our write never landed", async () => {
    const { app, mona } = await givenTakenOff();
    await app.advance(3_600_000);
    mona.editIssue(app.repo, 1, { title: "Their title" });
    await app.settle();
    await app.advance(1_000);
    mona.removeLabel(app.repo, 1, "theirs");
    await app.settle();

    expect(await labels(app)).toEqual(["ours"]);
    expect(await named(app)).toEqual([]);
  });
});

describeOnOneDatabase("an edit made here after a create that went astray", (open) => {
  it("is named where somebody wrote over what the astray one said", async () => {
    const app = await givenSampleTandem(await open());
    app.holdWebhooks();
    const task = await app.addTask({ title: "First" });
    const first = await dieSending(app, { method: "POST", path: /\/issues$/ });
    await app.editTask(task, { title: "Second" });
    await app.advance(60_000);
    const second = await dieSending(app, { method: "POST", path: /\/issues$/ });
    first.apply();
    await app.advance(2_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    second.apply();
    await app.advance(60_000);
    await app.settle();

    expect((await app.task()).title).toBe("Theirs");
    expect(app.github.issues(app.repo).map(({ title, state }) => `${title} ${state}`)).toEqual([
      "Theirs open",
      "Second open",
    ]);
    expect(await named(app)).toEqual([
      { field: "title", winner: "resource", kept: "Theirs", lost: "Second", why: "both_changed" },
    ]);
  });
});

async function named(app: SampleTandem): Promise<readonly unknown[]> {
  return (await app.events()).flatMap(({ conflicts }) => conflicts);
}
