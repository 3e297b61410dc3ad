/** Situations 33 and 34: what has to wait for something else, and what is overtaken by a delete. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest, dieSending } from "../../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const POST_ISSUE = { method: "POST", path: /\/issues$/ };
const PATCH = { method: "PATCH", path: /\/issues\/1$/ };

async function remove(app: SampleTandem, task: string): Promise<void> {
  await app.sql("delete from tasks where id = $1", [task]);
}

describeOnOneDatabase("a comment before its task", (open) => {
  it("S33 a comment written before its task has an issue: sent after it, once", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Talked about" });
    const comment = await app.addComment(task, "First!");
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    await app.settle();
    expect(app.github.comments(app.repo)).toEqual([]);
    hold.release();
    await done;
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Talked about" }]);
    expect(app.github.comments(app.repo)).toMatchObject([{ issueNumber: 1 }]);
    expect(app.github.comments(app.repo)[0]?.body).toMatch(/^First!/);
    expect(await app.comments()).toMatchObject([{ id: comment, task_id: task, author_id: "1" }]);
    expect(await app.story(`record=comments:${comment}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(0);
  });

  it("S33 the same where the task's issue is refused at first: the comment waits, and costs nothing", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: 422 });
    const task = await app.addTask({ title: "Refused" });
    const comment = await app.addComment(task, "Waiting");
    const record = `record=comments:${comment}`;
    await app.settleWithin(2);
    expect(await app.events(record)).toMatchObject([
      { state: "queued", reason: "awaiting_parent", attempts: 0 },
    ]);
    expect(app.github.calls()).toBe(1);

    await app.editTask(task, { title: "Accepted" });
    await app.settle();
    expect(app.github.comments(app.repo)).toMatchObject([{ issueNumber: 1 }]);
    expect(await app.story(record)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(3);
    expect(app.reads()).toBe(0);
  });

  it("S33 the same where the issue is found by its token: the comment goes out with it", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    const task = await app.addTask({ title: "Lost" });
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    const comment = await app.addComment(task, "Waiting");
    await app.settle();
    hold.apply();
    hold.drop();
    await done;
    await app.settleWithin(1);

    expect(await app.story(`record=tasks:${task}`)).toEqual([
      "outbound completed adopted_resource",
    ]);
    expect(await app.story(`record=comments:${comment}`)).toEqual([
      "outbound completed created_resource",
    ]);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);
  });
});

describeOnOneDatabase("a delete that overtakes", (open) => {
  it("S34 local delete while an update is queued: the issue is closed, the edit kept as lost", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Doomed" });
    await app.settle();
    app.github.clearRequests();
    app.github.failNext({ ...PATCH, with: "refused" });
    await app.editTask(task, { title: "Edited" });
    await app.tandem.settle();
    expect((await app.story()).at(-1)).toBe("outbound queued retry");
    await remove(app, task);
    await app.settleWithin(5);

    expect(await app.tasks()).toEqual([]);
    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, title: "Doomed", state: "closed", stateReason: "not_planned" },
    ]);
    const events = await app.events();
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "outbound canceled superseded",
      "outbound completed closed_resource",
      "inbound ignored tombstoned",
    ]);
    expect(events[2]).toMatchObject({ canceled_by: events[3]?.id });
    expect(events[3]).toMatchObject({
      action: "delete",
      conflicts: [
        {
          field: "title",
          winner: "resource",
          kept: "Doomed",
          lost: "Edited",
          why: "record_deleted",
        },
      ],
    });
    expect(events[4]).toMatchObject({ ignored_for_id: events[3]?.id, ignored_for_type: "events" });
    // The one that was refused, and closing it.
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);

    // Nor do polls and sweeps, which list the closed issue, find any news in it.
    await app.tandem.syncNow();
    await app.tandem.sweepNow();
    await app.settle();
    expect(await app.tasks()).toEqual([]);
    expect(app.writes()).toBe(2);
    expect(await app.events()).toHaveLength(5);
  });

  it("S34 the same in one transaction: one call", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Doomed" });
    await app.settle();
    app.github.clearRequests();
    await app.sql(`
      begin;
      update tasks set title = 'Edited';
      delete from tasks;
      commit`);
    await app.settle();

    expect(await app.tasks()).toEqual([]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Doomed", state: "closed" });
    expect(await app.story(`record=tasks:${task}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "outbound completed closed_resource",
      "inbound ignored tombstoned",
    ]);
    expect((await app.events())[2]?.conflicts).toMatchObject([{ field: "title", lost: "Edited" }]);
    expect(app.writes()).toBe(1);
  });

  it("S34 a comment deleted while its edit is queued: deleted at GitHub, in one call", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Talked about" });
    const comment = await app.addComment(task, "Doomed");
    await app.settle();
    app.github.clearRequests();
    await app.sql("update comments set markdown = 'Edited'");
    await app.sql("delete from comments");
    await app.settle();

    expect(await app.comments()).toEqual([]);
    expect(app.github.comments(app.repo)).toEqual([]);
    expect(await app.story(`record=comments:${comment}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "outbound completed deleted_resource",
      "inbound ignored tombstoned",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(0);
  });

  it("S34 local delete while the PATCH is in flight: closed after it", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Doomed" });
    await app.settle();
    app.github.clearRequests();
    await app.editTask(task, { title: "Edited" });
    const { hold, done } = await catchRequest(app, PATCH);
    await remove(app, task);
    await app.settle();
    hold.release();
    await done;
    await app.settle();

    expect(await app.tasks()).toEqual([]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Edited", state: "closed" });
    expect(await app.story(`record=tasks:${task}&direction=outbound`)).toEqual([
      "outbound completed created_resource",
      "outbound completed updated_resource",
      "outbound completed closed_resource",
    ]);
    expect(app.writes()).toBe(2);
  });

  it("S34 local delete while the POST is in flight, and its answer lost: found and closed", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    const task = await app.addTask({ title: "Doomed" });
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    await remove(app, task);
    hold.apply();
    hold.drop();
    await done;
    await app.settleWithin(5);

    expect(await app.tasks()).toEqual([]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Doomed", state: "closed" }]);
    expect(await app.story()).toEqual([
      "outbound canceled superseded",
      "outbound completed closed_resource",
    ]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);
  });

  it("S34 a dead worker's POST lands after the record's delete: the sweep closes it", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Doomed" });
    const late = await dieSending(app, POST_ISSUE);
    await remove(app, task);
    await app.advance(60_000);
    await app.settle();
    late.apply();
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ state: "open" });
    await app.tandem.sweepNow();
    await app.settle();

    expect(await app.tasks()).toEqual([]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Doomed", state: "closed" }]);
    expect(await app.story()).toEqual([
      "outbound canceled superseded",
      "outbound completed nothing_to_send",
      "inbound ignored tombstoned",
      "outbound completed closed_resource",
      "inbound ignored tombstoned",
    ]);
    expect(app.writes()).toBe(2);
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.writes()).toBe(2);
  });

  it("S34 a closed issue that somebody opens again is left to them", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Doomed" });
    await app.settle();
    app.github.clearRequests();
    await remove(app, task);
    await app.settle();
    app.github.as("mona").reopenIssue(app.repo, 1);
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();

    expect(await app.tasks()).toEqual([]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Doomed", state: "open" });
    expect((await app.story()).slice(2)).toEqual([
      "outbound completed closed_resource",
      "inbound ignored tombstoned",
      "inbound ignored tombstoned",
    ]);
    expect(app.writes()).toBe(1);
  });
});
