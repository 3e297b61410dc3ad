/** Situation 40, twice: an issue that is transferred on before its first transfer was followed. */
import { expect, it } from "vitest";
import type { Delivery } from "../../../src/testing/github/index.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { APP, connect, givenComments, type Pair, SITE } from "../../harness/projects.ts";

/** Connected to project 3. */
const LAST = "acme/last";

/** A task in project 1, with two comments; its issue went to `acme/app` and on to `acme/last`. */
async function givenTransferredTwice(database: TestDatabase): Promise<Pair> {
  const app = await givenComments(database);
  await connect(app, LAST, "3");
  app.github.clearRequests();
  app.holdWebhooks();
  app.github.as("acme").transferIssue(SITE, 1, APP);
  await app.advance(1_000);
  app.github.as("acme").transferIssue(APP, 1, LAST);
  return app;
}

/** One task, two comments and one issue, where it was transferred to; and the move is explained. */
async function expectOneOfEach(app: Pair): Promise<void> {
  expect(await app.tasks()).toMatchObject([
    { id: app.taskId, project_id: "3", title: "Broken link", deleted_at: null },
  ]);
  expect((await app.comments()).map(({ task_id, markdown }) => [task_id, markdown])).toEqual([
    [app.taskId, "I see it too."],
    [app.taskId, "On it."],
  ]);
  expect(app.github.issue(LAST, 1)).toMatchObject({ title: "Broken link", state: "open" });
  expect(app.github.comments(LAST, 1)).toHaveLength(2);
  expect(await app.pairings(app.taskId)).toMatchObject([
    { connection: LAST, integration_external_id: "1", in_sync: true },
  ]);
  const events = await app.events(`record=tasks:${app.taskId}`);
  expect(events.filter(({ reason }) => reason === "followed_move")).toMatchObject([
    { state: "completed", changes: [{ field: "project_id", from: "1", to: "3" }] },
  ]);
  expect((await app.events()).filter(({ state }) => state === "errored")).toEqual([]);
  expect(app.writes()).toBe(0);
}

async function expectBothWays(app: Pair): Promise<void> {
  app.github.clearFaults();
  await app.advance(5_000);
  await app.editTask(app.taskId, { title: "Ours after" });
  await app.settle();
  await app.advance(5_000);
  app.github.as("mona").editIssue(LAST, 1, { body: "Theirs after" });
  await app.settle();
  expect(await app.task()).toMatchObject({ title: "Ours after", markdown: "Theirs after" });
  expect(app.github.issue(LAST, 1)).toMatchObject({ title: "Ours after" });
}

/** Webhooks of one transfer: the issue went from there, and came to here. */
function toldOf(app: Pair, from: string, to: string): readonly Delivery[] {
  return app.held().filter(({ event, action, body }) => {
    const { repository } = JSON.parse(body) as { repository: { full_name: string } };
    const left = action === "transferred" && repository.full_name === from;
    return event === "issues" && (left || (action === "opened" && repository.full_name === to));
  });
}

describeOnOneDatabase("an issue transferred on before its first transfer was followed", (open) => {
  it.each(["in their order", "the second one first"])(
    "S40: told %s: one task, and its comments",
    async (order) => {
      const app = await givenTransferredTwice(await open());
      const told = [toldOf(app, SITE, APP), toldOf(app, APP, LAST)];
      expect(told.map(({ length }) => length)).toEqual([2, 2]);
      for (const deliveries of order === "in their order" ? told : [...told].reverse()) {
        await app.release(...deliveries);
      }
      await app.settleWithin(10);
      await expectOneOfEach(app);
      await expectBothWays(app);
    },
  );

  it("S40: the second is told and followed first, and made a task: that one goes", async () => {
    const app = await givenTransferredTwice(await open());
    await app.release(...toldOf(app, APP, LAST));
    await app.settleWithin(1);
    expect(await app.tasks()).toHaveLength(2);
    await app.release(...toldOf(app, SITE, APP));
    await app.settleWithin(10);
    await expectOneOfEach(app);
    await expectBothWays(app);
  });

  it("S40: back to where it came from: the task stays where it is, and keeps its comments", async () => {
    const app = await givenComments(await open());
    app.holdWebhooks();
    app.github.as("acme").transferIssue(SITE, 1, APP);
    await app.advance(1_000);
    app.github.as("acme").transferIssue(APP, 1, SITE);
    await app.release(...toldOf(app, APP, SITE));
    await app.settleWithin(1);
    await app.release(...toldOf(app, SITE, APP));
    await app.settleWithin(10);
    expect(await app.tasks()).toMatchObject([{ id: app.taskId, project_id: "1" }]);
    expect(await app.comments()).toMatchObject([{ task_id: app.taskId }, { task_id: app.taskId }]);
    expect(await app.pairings(app.taskId)).toMatchObject([
      { connection: SITE, integration_external_id: "2", in_sync: true },
    ]);
    expect(app.github.issue(SITE, 2)).toMatchObject({ title: "Broken link", state: "open" });
    expect(app.github.comments(SITE, 2)).toHaveLength(2);
    expect(await app.story(`record=tasks:${app.taskId}`)).toEqual([
      "inbound completed created_record",
      "inbound duplicate same_content",
      "inbound duplicate same_content",
      "inbound canceled superseded",
      "inbound completed followed_move",
    ]);
    expect(app.writes()).toBe(0);
  });

  it("S40: nothing is told: the sweep is led on and on, and what polls have made goes", async () => {
    const app = await givenComments(await open());
    await connect(app, LAST, "3");
    app.github.clearRequests();
    app.github.faults.webhooks.drop = 1;
    app.github.as("acme").transferIssue(SITE, 1, APP);
    await app.advance(61_000);
    await app.tandem.syncNow();
    await app.settle();
    app.github.as("acme").transferIssue(APP, 1, LAST);
    await app.advance(61_000);
    await app.tandem.syncNow();
    await app.settle();
    await app.tandem.sweepNow();
    await app.settleWithin(10);
    await expectOneOfEach(app);
    await expectBothWays(app);
  });
});
