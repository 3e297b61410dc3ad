/** Situation 40: an issue transferred to another repository, connected or not. */
import { expect, it } from "vitest";
import type { Delivery } from "../../../src/testing/github/index.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { APP, join, type Pair, SITE } from "../../harness/projects.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

const ELSEWHERE = "acme/elsewhere";

/** Projects 1 and 2 are connected; a task in the first has an issue with three comments, one of ours. */
async function givenIssueWithComments(database: TestDatabase): Promise<Pair> {
  const app = await givenSampleTandem(database);
  await app.sql("insert into projects (name) values ('App')");
  for (const name of ["app", "elsewhere"]) app.github.createRepository({ owner: "acme", name });
  await join(app, APP, "2");
  app.github.as("mona").openIssue(APP, { title: "There before" });
  app.github.as("mona").openIssue(SITE, { title: "Broken link", body: "On the first page." });
  await app.settle();
  const task = (await app.tasks()).find(({ title }) => title === "Broken link");
  if (task === undefined) throw new Error("there is no task");
  app.github.as("mona").comment(SITE, 1, "I see it too.");
  await app.settle();
  await app.addComment(task.id, "On it.");
  await app.settle();
  await app.advance(1_000);
  app.github.as("hubot").comment(SITE, 1, "I see it too.");
  await app.settle();
  await app.advance(5_000);
  await app.tandem.syncNow();
  await app.settle();
  app.github.clearRequests();
  return { ...app, taskId: task.id };
}

async function taskOf(app: Pair) {
  return (await app.tasks()).find(({ id }) => id === app.taskId);
}

/** Everything that must hold once a transfer to `acme/app` was followed. */
async function expectFollowed(app: Pair, title = "Broken link"): Promise<void> {
  const tasks = (await app.tasks()).filter(({ title: one }) => one !== "There before");
  expect(tasks).toMatchObject([
    { id: app.taskId, project_id: "2", title, markdown: "On the first page.", deleted_at: null },
  ]);
  expect(await app.comments()).toMatchObject([
    { id: "1", task_id: app.taskId, markdown: "I see it too." },
    { id: "2", task_id: app.taskId, markdown: "On it." },
    { id: "3", task_id: app.taskId, markdown: "I see it too." },
  ]);
  expect(app.github.issue(SITE, 1)).toBeUndefined();
  expect(app.github.issue(APP, 2)).toMatchObject({ title, state: "open" });
  expect(app.github.comments(APP, 2)).toHaveLength(3);
  expect(await app.pairings(app.taskId)).toMatchObject([
    { connection: APP, integration_external_id: "2", in_sync: true },
  ]);
  expect((await app.events()).filter(({ state }) => state === "errored")).toEqual([]);
}

/** The issue was opened, and each of its comments brought it along. */
const PAIRED = [
  "inbound completed created_record",
  "inbound duplicate same_content",
  "inbound duplicate same_content",
  "inbound duplicate same_content",
];

/** How each of the task's events ended. */
async function endsOf(app: Pair): Promise<readonly string[]> {
  return app.story(`record=tasks:${app.taskId}`);
}

/** A later edit on either side arrives at the other. */
async function expectBothWays(app: Pair): Promise<void> {
  await app.advance(5_000);
  await app.editTask(app.taskId, { title: "Ours after" });
  await app.sql("update comments set markdown = 'Done.' where id = 2");
  await app.settle();
  await app.advance(5_000);
  const [first, , third] = app.github.comments(APP, 2);
  if (first === undefined || third === undefined) throw new Error("there are no comments");
  app.github.as("mona").editIssue(APP, 2, { body: "Theirs after" });
  app.github.as("mona").editComment(APP, first.id, "Gone now.");
  app.github.as("hubot").deleteComment(APP, third.id);
  await app.settle();
  expect(await taskOf(app)).toMatchObject({ title: "Ours after", markdown: "Theirs after" });
  expect(app.github.issue(APP, 2)).toMatchObject({ title: "Ours after", body: "Theirs after" });
  expect(await app.comments()).toMatchObject([
    { id: "1", markdown: "Gone now." },
    { id: "2", markdown: "Done." },
  ]);
  const bodies = app.github.comments(APP, 2).map(({ body }) => body);
  expect(bodies).toMatchObject(["Gone now.", expect.stringMatching(/^Done\./)]);
}

function issueDeliveries(app: Pair): { readonly transferred: Delivery; readonly opened: Delivery } {
  const transferred = app.held().find(({ action }) => action === "transferred");
  const opened = app.held().find(({ action }) => action === "opened");
  if (transferred === undefined || opened === undefined) throw new Error("nothing was announced");
  return { transferred, opened };
}

const ORDERS = {
  "transferred, then opened": ["transferred", "opened"],
  "opened, then transferred": ["opened", "transferred"],
  "only transferred": ["transferred"],
  "only opened": ["opened"],
} as const;

describeOnOneDatabase("an issue transferred to a connected repository", (open) => {
  for (const [order, told] of Object.entries(ORDERS)) {
    for (const batch of ["one by one", "in one batch"] as const) {
      if (told.length === 1 && batch === "in one batch") continue;
      it(`S40: ${order}, ${batch}: the task goes with it, its comments follow, and there is one of each`, async () => {
        const app = await givenIssueWithComments(await open());
        app.holdWebhooks();
        app.github.as("acme").transferIssue(SITE, 1, APP);
        const announced = issueDeliveries(app);
        for (const action of told) {
          await app.release(announced[action]);
          if (batch === "one by one") await app.settle();
        }
        app.github.clearFaults();
        await app.settle();

        await expectFollowed(app);
        const story = await app.events(`record=tasks:${app.taskId}`);
        expect(story.filter(({ reason }) => reason === "followed_move")).toMatchObject([
          {
            direction: "inbound",
            state: "completed",
            source: "webhook",
            changes: [{ side: "record", field: "project_id", from: "1", to: "2" }],
          },
        ]);
        const pairingTold = (await app.pairings(app.taskId))[0]?.events.map(({ reason }) => reason);
        expect(pairingTold).toEqual([
          "followed_move",
          "same_content",
          "same_content",
          "same_content",
          "created_record",
        ]);
        // One look at the issue, and one at its comments.
        expect(app.writes()).toBe(0);
        expect(app.reads()).toBe(2);
        if (told.length === 2) {
          const second = (await app.events()).filter(({ reason: why }) => why === "tombstoned");
          expect(second).toHaveLength(1);
        }
        await expectBothWays(app);
      });
    }
  }

  it("S40: both webhooks lost: the sweep is led to it, and what a poll made of it meanwhile goes", async () => {
    const app = await givenIssueWithComments(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("acme").transferIssue(SITE, 1, APP);
    await app.advance(60_000);
    await app.tandem.syncNow();
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();
    app.github.clearFaults();

    await expectFollowed(app);
    expect(await endsOf(app)).toEqual([
      ...PAIRED,
      "inbound completed followed_move",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(0);
    await expectBothWays(app);
  });

  it("S40: an edit here waits while it is transferred: it goes to where the issue is now, once", async () => {
    const app = await givenIssueWithComments(await open());
    app.holdWebhooks();
    app.github.as("acme").transferIssue(SITE, 1, APP);
    await app.editTask(app.taskId, { title: "Ours meanwhile" });
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settle();

    await expectFollowed(app, "Ours meanwhile");
    expect(await endsOf(app)).toEqual([
      ...PAIRED,
      "inbound completed followed_move",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.github.calls({ method: "PATCH" })).toBe(1);
    expect(app.writes()).toBe(1);
  });

  it("S40: an edit here is sent before anybody knows: it is led to the new place, and goes there once", async () => {
    const app = await givenIssueWithComments(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("acme").transferIssue(SITE, 1, APP);
    await app.editTask(app.taskId, { title: "Ours meanwhile" });
    await app.settleWithin(1);
    app.github.clearFaults();

    await expectFollowed(app, "Ours meanwhile");
    // The read before it was led elsewhere, and the only write arrived.
    expect(app.github.calls({ method: "PATCH" })).toBe(1);
    expect(app.writes()).toBe(1);
    expect(await endsOf(app)).toEqual([
      ...PAIRED,
      "outbound completed updated_resource",
      "inbound completed followed_move",
    ]);
  });

  it("S40: edited there before its webhooks arrive, so that a second task is made: one remains", async () => {
    const app = await givenIssueWithComments(await open());
    app.holdWebhooks();
    app.github.as("acme").transferIssue(SITE, 1, APP);
    const announced = issueDeliveries(app);
    await app.advance(2_000);
    app.github.as("mona").editIssue(APP, 2, { title: "Theirs there" });
    const edited = app.held().find(({ action }) => action === "edited");
    if (edited === undefined) throw new Error("the edit was not announced");
    await app.release(edited);
    await app.settle();
    expect((await app.tasks()).filter(({ title }) => title === "Theirs there")).toHaveLength(1);
    await app.release(announced.opened, announced.transferred);
    app.github.clearFaults();
    await app.settle();

    await expectFollowed(app, "Theirs there");
    expect(await endsOf(app)).toEqual([...PAIRED, "inbound completed followed_move"]);
    expect(app.writes()).toBe(0);
  });

  it("S40: commented on there before the move was followed: the comment is one, below the task", async () => {
    const app = await givenIssueWithComments(await open());
    app.holdWebhooks();
    app.github.as("acme").transferIssue(SITE, 1, APP);
    app.github.as("mona").comment(APP, 2, "Found you.");
    await app.release(...[...app.held()].reverse());
    app.github.clearFaults();
    await app.settleWithin(10);

    const comments = await app.comments();
    expect(comments.map(({ markdown }) => markdown).sort()).toEqual([
      "Found you.",
      "I see it too.",
      "I see it too.",
      "On it.",
    ]);
    expect(new Set(comments.map(({ task_id }) => task_id))).toEqual(new Set([app.taskId]));
    expect(app.github.comments(APP, 2)).toHaveLength(4);
    expect(await taskOf(app)).toMatchObject({ project_id: "2", title: "Broken link" });
    expect(await endsOf(app)).toEqual([
      ...PAIRED,
      "inbound completed followed_move",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(0);
  });

  it("S40: a late webhook of the old place is ignored for the move, and makes no second task", async () => {
    const app = await givenIssueWithComments(await open());
    app.holdWebhooks();
    app.github.as("mona").editIssue(SITE, 1, { title: "An earlier title" });
    const [late] = app.held();
    if (late === undefined) throw new Error("the edit was not announced");
    await app.advance(2_000);
    app.github.as("acme").transferIssue(SITE, 1, APP);
    const { transferred, opened } = issueDeliveries(app);
    await app.release(transferred, opened);
    await app.settle();
    await app.release(late);
    app.github.clearFaults();
    await app.settle();

    await expectFollowed(app, "An earlier title");
    const ignored = (await app.events()).filter(({ reason }) => reason === "tombstoned");
    const followed = (await app.events()).find(({ reason }) => reason === "followed_move");
    expect(ignored.length).toBeGreaterThan(0);
    for (const event of ignored) expect(event).toMatchObject({ ignored_for_id: followed?.id });
    expect(app.writes()).toBe(0);
  });

  it("S40: a comment deleted on its way is waited for, and then gone with its record", async () => {
    const app = await givenIssueWithComments(await open());
    app.holdWebhooks();
    app.github.as("acme").transferIssue(SITE, 1, APP);
    const { transferred } = issueDeliveries(app);
    const [, , last] = app.github.comments(APP, 2);
    if (last === undefined) throw new Error("there are no comments");
    app.github.as("hubot").deleteComment(APP, last.id);
    await app.release(transferred);
    await app.settle();
    // It may be on its way yet: nothing is deleted for its absence.
    expect(await app.comments()).toHaveLength(3);
    expect(await app.story(`record=tasks:${app.taskId}`)).toEqual([
      ...PAIRED,
      "inbound queued awaiting_children",
    ]);
    // It is looked for soon, and not only when its time is up.
    const looks = app.reads();
    await app.advance(5_000);
    await app.settle();
    expect(app.reads()).toBeGreaterThan(looks);
    await app.settleWithin(10);
    app.github.clearFaults();
    await app.settle();

    expect(await app.comments()).toMatchObject([{ id: "1" }, { id: "2" }]);
    expect(await taskOf(app)).toMatchObject({ project_id: "2", deleted_at: null });
    expect(app.github.issue(APP, 2)).toMatchObject({ title: "Broken link", comments: 2 });
    expect(await endsOf(app)).toEqual([...PAIRED, "inbound completed followed_move"]);
    expect(app.writes()).toBe(0);
  });
});

describeOnOneDatabase("an issue transferred out of reach", (open) => {
  for (const lost of [false, true]) {
    it(`S40: to a repository that is not connected${lost ? ", with its webhooks lost" : ""}: the task is kept, detached`, async () => {
      const app = await givenIssueWithComments(await open());
      app.github.faults.webhooks.drop = lost ? 1 : 0;
      app.github.as("acme").transferIssue(SITE, 1, ELSEWHERE);
      await app.settle();
      if (lost) {
        await app.advance(60_000);
        await app.tandem.sweepNow();
        await app.settle();
      }

      expect(await taskOf(app)).toMatchObject({
        title: "Broken link",
        project_id: "1",
        deleted_at: null,
      });
      expect(await app.comments()).toHaveLength(3);
      const [pairing] = await app.pairings(app.taskId);
      expect(pairing).toMatchObject({ connection: SITE, integration_external_id: "1" });
      const where = lost
        ? "a container without a connection"
        : "https://github.com/acme/elsewhere/issues/1";
      expect(pairing?.standing.replace(/ at \S+Z/, "")).toBe(
        `The resource was moved to ${where}; the record was kept, and the pairing has ended.`,
      );
      const left = (await app.events("direction=inbound")).filter(
        ({ reason }) => reason === "moved_away",
      );
      // The issue's and its three comments'.
      expect(left).toHaveLength(4);
      expect(left[0]).toMatchObject({ action: "delete", state: "completed", conflicts: [] });
      expect(app.writes()).toBe(0);

      // It is nobody's any more: edits of either side stay where they are.
      app.github.clearFaults();
      await app.advance(5_000);
      await app.editTask(app.taskId, { title: "Ours after" });
      app.github.as("mona").editIssue(ELSEWHERE, 1, { title: "Theirs after" });
      await app.settle();
      expect(await taskOf(app)).toMatchObject({ title: "Ours after" });
      expect(app.github.issue(ELSEWHERE, 1)).toMatchObject({ title: "Theirs after" });
      expect(app.writes()).toBe(0);
    });
  }

  it("S40: and back again, to a connected one: the same task is paired with it, and no second is made", async () => {
    const app = await givenIssueWithComments(await open());
    app.github.as("acme").transferIssue(SITE, 1, ELSEWHERE);
    await app.settle();
    await app.advance(5_000);
    app.github.as("acme").transferIssue(ELSEWHERE, 1, APP);
    await app.settle();

    await expectFollowed(app);
    expect(app.writes()).toBe(0);
    await expectBothWays(app);
  });

  it("S40: from one that is not connected: it is new, and read, since its webhook has no text", async () => {
    const app = await givenIssueWithComments(await open());
    app.github.as("mona").openIssue(ELSEWHERE, { title: "From afar", body: "With a text." });
    app.github.as("acme").transferIssue(ELSEWHERE, 1, APP);
    await app.settle();

    const tasks = (await app.tasks()).filter(({ title }) => title === "From afar");
    expect(tasks).toMatchObject([{ project_id: "2", markdown: "With a text." }]);
    expect(app.github.issue(APP, 2)).toMatchObject({ title: "From afar", body: "With a text." });
    expect((await app.story()).at(-1)).toBe("inbound completed created_record");
    expect(app.reads()).toBe(1);
    expect(app.writes()).toBe(0);
  });
});
