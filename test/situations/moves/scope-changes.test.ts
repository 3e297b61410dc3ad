/** A task that the app moves to another project, and so to another repository, or to none. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest, dieSending } from "../../harness/in-flight.ts";
import {
  APP,
  expectAtRest,
  givenPaired,
  issuesOf,
  moveTo,
  type Pair,
  SITE,
  storyAt,
} from "../../harness/projects.ts";

const CREATE = { method: "POST", path: /\/issues$/ };
const PATCH_OLD = { method: "PATCH", path: /\/issues\/1$/ };

async function conflictsOf(app: Pair) {
  return (await app.events()).flatMap(({ conflicts, reason }) =>
    conflicts.map((conflict) => ({ reason, ...conflict })),
  );
}

describeOnOneDatabase("a task that is moved to another project", (open) => {
  it("gets an issue in the other repository, and its old one is closed", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    await app.settle();

    expect(await app.task()).toMatchObject({
      ...{ project_id: "2", title: "Broken link", markdown: "On the first page." },
      ...{ status: "todo", owner_id: "1", deleted_at: null },
    });
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(await storyAt(app, SITE)).toEqual([
      "inbound completed created_record",
      "outbound completed moved_to_connection",
      "inbound ignored record_moved",
    ]);
    expect(await storyAt(app, APP)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    const left = (await app.events()).find(({ reason }) => reason === "moved_to_connection");
    expect(left?.changes).toEqual([
      { side: "record", field: "project_id", from: "1", to: "2" },
      { side: "resource", field: "state", from: "open", to: "closed" },
    ]);
    const [old] = (await app.pairings(app.taskId)).filter(({ connection }) => connection === SITE);
    expect(old?.standing).toMatch(/^The record was moved to another connection at /);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);
    expect(await conflictsOf(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("goes on there both ways, and what is said at the old issue never reaches it", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    await app.settle();
    await app.advance(5_000);
    await app.editTask(app.taskId, { title: "Ours after" });
    app.github.as("mona").editIssue(SITE, 1, { title: "Theirs at the old one", state: "open" });
    await app.settle();
    await app.advance(5_000);
    app.github.as("mona").editIssue(APP, 1, { body: "Theirs after" });
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Ours after", markdown: "Theirs after" });
    expect(issuesOf(app, SITE)).toEqual(["open: Theirs at the old one"]);
    expect(issuesOf(app, APP)).toEqual(["open: Ours after"]);
    const left = (await app.events()).find(({ reason }) => reason === "moved_to_connection");
    const late = (await app.events()).filter(({ reason }) => reason === "record_moved");
    expect(late.length).toBeGreaterThan(1);
    for (const event of late) {
      expect(event).toMatchObject({ state: "ignored", ignored_for_id: left?.id });
    }
    // Close, create, and the one edit.
    expect(app.writes()).toBe(3);
    await expectAtRest(app);
  });

  it("to where nothing is connected has no issue any more, and one again once it comes to a repository", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "3");
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(await storyAt(app, SITE)).toEqual([
      "inbound completed created_record",
      "outbound completed moved_out_of_scope",
      "inbound ignored record_moved",
    ]);
    const [old] = await app.pairings(app.taskId);
    expect(old?.standing).toContain("The record was moved to a scope without a connection");
    expect(app.writes()).toBe(1);

    await app.editTask(app.taskId, { title: "Edited nowhere" });
    await app.settle();
    expect(app.writes()).toBe(1);
    await expectAtRest(app);

    await moveTo(app, "2");
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Edited nowhere"]);
    expect(app.writes()).toBe(1);
    await expectAtRest(app);
  });

  it("with an edit that was not sent: it arrives at the new issue, and not at the old one", async () => {
    const app = await givenPaired(await open());
    app.github.faults.api.down = true;
    await app.editTask(app.taskId, { title: "Not sent yet" });
    await app.settle();
    app.github.faults.api.down = false;
    app.github.clearRequests();
    await moveTo(app, "2");
    await app.settleWithin(10);

    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Not sent yet"]);
    expect((await storyAt(app, SITE)).slice(1, 3)).toEqual([
      "outbound canceled superseded",
      "outbound completed moved_to_connection",
    ]);
    expect(app.writes()).toBe(2);
    expect(await conflictsOf(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("while done: its new issue is closed as well", async () => {
    const app = await givenPaired(await open());
    await app.editTask(app.taskId, { status: "done", project_id: "2" });
    await app.settle();

    expect(await app.task()).toMatchObject({ status: "done", project_id: "2" });
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    expect(app.writes()).toBe(3);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("an edit at the old issue", (open) => {
  const edited = { winner: "record", kept: "Broken link", lost: "Theirs", why: "record_moved" };

  it("is ignored if its webhook comes after the move, named, and not written", async () => {
    const app = await givenPaired(await open());
    app.holdWebhooks();
    app.github.as("mona").editIssue(SITE, 1, { title: "Theirs" });
    const held = app.held();
    await app.advance(2_000);
    app.github.faults.webhooks.hold = false;
    app.github.faults.api.refuseConnections = true;
    await moveTo(app, "2");
    await app.settle();
    await app.release(...held);
    await app.settle();
    app.github.faults.api.refuseConnections = false;
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "2", title: "Broken link" });
    expect(issuesOf(app, SITE)).toEqual(["closed: Theirs"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(await conflictsOf(app)).toEqual([{ reason: "record_moved", field: "title", ...edited }]);
    await expectAtRest(app);
  });

  it("is named by the answer of the close if its webhook is lost", async () => {
    const app = await givenPaired(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").editIssue(SITE, 1, { title: "Theirs" });
    app.github.faults.webhooks.drop = 0;
    await app.advance(2_000);
    await moveTo(app, "2");
    await app.settle();

    expect(await app.task()).toMatchObject({ project_id: "2", title: "Broken link" });
    expect(issuesOf(app, SITE)).toEqual(["closed: Theirs"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(await conflictsOf(app)).toEqual([
      { reason: "moved_to_connection", field: "title", ...edited },
    ]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);
    await expectAtRest(app);
  });

  it("that waited for its turn when the task was moved is named, and not written", async () => {
    const app = await givenPaired(await open());
    // The edit of ours is on its way, so theirs has to wait behind it.
    await app.editTask(app.taskId, { markdown: "Ours" });
    const { hold, done } = await catchRequest(app, PATCH_OLD);
    app.github.as("mona").editIssue(SITE, 1, { title: "Theirs" });
    await app.settle();
    expect(await storyAt(app, SITE)).toContain("inbound queued reread_needed");
    await moveTo(app, "2");
    await app.settle();
    hold.apply();
    hold.release();
    await done;
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Broken link", markdown: "Ours" });
    expect(app.github.issue(SITE, 1)).toMatchObject({ state: "closed", title: "Theirs" });
    expect(app.github.issues(APP)).toMatchObject([{ title: "Broken link", state: "open" }]);
    expect(app.github.issue(APP, 1)?.body).toContain("Ours");
    expect((await conflictsOf(app)).filter(({ lost }) => lost === "Theirs").length).toBeGreaterThan(
      0,
    );
    expect(app.writes()).toBe(3);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a task that is moved back and forth", (open) => {
  it("before anything was drained: nothing happens", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    await moveTo(app, "3");
    await moveTo(app, "1");
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual([]);
    expect(app.github.calls({})).toBe(0);
    await expectAtRest(app);
  });

  it("before anything was sent: keeps its issue, and gets no other", async () => {
    const app = await givenPaired(await open());
    app.github.faults.api.refuseConnections = true;
    await moveTo(app, "2");
    await app.settle();
    await moveTo(app, "1");
    await app.settle();
    app.github.faults.api.refuseConnections = false;
    app.github.clearRequests();
    await app.settleWithin(10);

    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual([]);
    expect(await storyAt(app, APP)).toEqual([
      "outbound canceled superseded",
      "outbound completed moved_to_connection",
    ]);
    expect(app.writes()).toBe(0);
    expect((await app.pairings(app.taskId)).filter(({ in_sync }) => in_sync)).toMatchObject([
      { connection: SITE, integration_external_id: "1" },
    ]);
    await expectAtRest(app);
  });

  it("after each was carried out: the issue of that place is opened again, as the task is by now", async () => {
    const app = await givenPaired(await open());
    for (const [project, title] of [
      ["2", "Second"],
      ["1", "Third"],
      ["2", "Fourth"],
      ["1", "Fifth"],
    ] as const) {
      await app.editTask(app.taskId, { project_id: project, title });
      await app.settle();
      await app.advance(5_000);
      const [here, there] = project === "1" ? [SITE, APP] : [APP, SITE];
      expect(issuesOf(app, here)).toEqual([`open: ${title}`]);
      expect(issuesOf(app, there)).toHaveLength(1);
      expect(issuesOf(app, there)[0]).toMatch(/^closed/);
      const paired = (await app.pairings(app.taskId)).filter(({ in_sync }) => in_sync);
      expect(paired).toMatchObject([{ connection: here }]);
    }
    // A close each time, a create the first, and then a patch that opens again.
    expect(app.writes()).toBe(8);
    expect(app.reads()).toBe(7);
    expect(await conflictsOf(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("an edit at its old issue meanwhile does not win over the task", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    await app.settle();
    await app.editTask(app.taskId, { title: "Ours" });
    await app.settle();
    await app.advance(5_000);
    app.github.as("mona").editIssue(SITE, 1, { title: "Theirs" });
    await app.settle();
    await app.advance(5_000);
    await moveTo(app, "1");
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Ours" });
    expect(issuesOf(app, SITE)).toEqual(["open: Ours"]);
    expect(issuesOf(app, APP)).toEqual(["closed: Ours"]);
    expect((await conflictsOf(app)).every(({ lost }) => lost === "Theirs" || lost === "open")).toBe(
      true,
    );
    await expectAtRest(app);
  });

  it("while its create is under way: the issue that lands is closed, and none is made again", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    const { hold, done } = await catchRequest(app, CREATE);
    hold.apply();
    await moveTo(app, "1");
    await app.settle();
    hold.release();
    await done;
    await app.settleWithin(10);

    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    expect(app.github.calls(CREATE)).toBe(1);
    await expectAtRest(app);
  });

  for (const landed of [true, false]) {
    it(`and a worker dies with the create on its way${landed ? ", which lands" : ""}: one open issue remains`, async () => {
      const app = await givenPaired(await open());
      await moveTo(app, "2");
      const hold = await dieSending(app, CREATE);
      if (landed) hold.apply();
      await moveTo(app, "3");
      await app.settle();
      await moveTo(app, "2");
      await app.settle();
      await app.advance(61_000);
      await app.settleWithin(10);

      expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
      expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
      expect(app.github.calls(CREATE)).toBe(landed ? 1 : 2);
      await expectAtRest(app);
    });
  }
});

describeOnOneDatabase("a write under way when its task is moved", (open) => {
  it("lands at the old issue, which is closed all the same, and revives nothing", async () => {
    const app = await givenPaired(await open());
    await app.editTask(app.taskId, { title: "Ours" });
    const { hold, done } = await catchRequest(app, PATCH_OLD);
    hold.apply();
    await moveTo(app, "2");
    await app.settle();
    hold.release();
    await done;
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["closed: Ours"]);
    expect(issuesOf(app, APP)).toEqual(["open: Ours"]);
    expect(await app.task()).toMatchObject({ title: "Ours", project_id: "2" });
    expect(app.writes()).toBe(3);
    expect(await conflictsOf(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("and its worker dies: the answer that never came changes nothing", async () => {
    const app = await givenPaired(await open());
    await app.editTask(app.taskId, { title: "Ours" });
    const hold = await dieSending(app, PATCH_OLD);
    await moveTo(app, "2");
    await app.settle();
    await app.advance(61_000);
    await app.settleWithin(10);
    hold.apply();
    await app.settle();

    expect(issuesOf(app, APP)).toEqual(["open: Ours"]);
    expect(issuesOf(app, SITE)).toEqual(["closed: Ours"]);
    expect(await app.task()).toMatchObject({ title: "Ours", project_id: "2" });
    await expectAtRest(app);
  });
});
