/** Moves of a task among everything else: deletions, pauses, policies, transfers, and missed writes. */
import { expect, it } from "vitest";
import type { AnyConfig } from "../../../src/config.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import {
  APP,
  connect,
  expectAtRest,
  givenPaired,
  givenProjects,
  issuesOf,
  moveTo,
  type Pair,
  SITE,
  storyAt,
} from "../../harness/projects.ts";

/** Writes where no trigger fires, as replication and a restore do. */
async function unseen(app: Pair, project: string): Promise<void> {
  await app.sql("alter table tasks disable trigger user");
  await app.sql("update tasks set project_id = $1", [project]);
  await app.sql("alter table tasks enable trigger user");
}

function detaching(config: AnyConfig): AnyConfig {
  const { tasks, ...others } = config.records;
  const issue = tasks?.sync?.["github.issue"];
  if (tasks === undefined || issue === undefined) throw new Error("tasks are not mapped");
  const sync = { ...tasks.sync, "github.issue": { ...issue, onRecordDeleted: "detach" as const } };
  return { ...config, records: { ...others, tasks: { ...tasks, sync } } };
}

async function expectMoved(app: Pair): Promise<void> {
  expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
  expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
  expect(await app.task()).toMatchObject({ project_id: "2", title: "Broken link" });
  expect(await storyAt(app, SITE)).toContain("outbound completed moved_to_connection");
  await expectAtRest(app);
}

describeOnOneDatabase("a move and the rest", (open) => {
  it("with `detach` the old issue is left open, and what is said there is named", async () => {
    const app = await givenPaired(await open(), detaching);
    await moveTo(app, "2");
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(app.writes()).toBe(1);

    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").editIssue(SITE, 1, { title: "Theirs" });
    app.github.faults.webhooks.drop = 0;
    await app.advance(60_000);
    await app.tandem.syncNow();
    await app.settle();
    const named = (await app.events()).filter(({ conflicts }) => conflicts.length > 0);
    expect(named).toMatchObject([
      { source: "poll", reason: "record_moved", conflicts: [{ field: "title", lost: "Theirs" }] },
    ]);
    await expectAtRest(app);
  });

  it("and then deleted: both issues are closed", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    await app.settle();
    await app.editTask(app.taskId, { deleted_at: "2026-03-02T10:00:00Z" });
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    expect((await storyAt(app, APP)).at(-2)).toBe("outbound completed closed_resource");
    expect(app.writes()).toBe(3);
    await expectAtRest(app);
  });

  it("and deleted in one go: its issue is closed as of a deleted task, and none is made", async () => {
    const app = await givenPaired(await open());
    await app.editTask(app.taskId, { project_id: "2", deleted_at: "2026-03-02T10:00:00Z" });
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual([]);
    expect(await storyAt(app, SITE)).toContain("outbound completed closed_resource");
    expect(app.writes()).toBe(1);
    await expectAtRest(app);
  });

  it("keeps its task if the old issue is deleted there afterwards, and makes another issue on the way back", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    await app.settle();
    app.github.as("mona").deleteIssue(SITE, 1);
    await app.settle();
    expect(await app.task()).toMatchObject({ project_id: "2", deleted_at: null });
    expect((await storyAt(app, SITE)).at(-1)).toBe("inbound ignored record_moved");
    await moveTo(app, "1");
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    await expectAtRest(app);
  });

  it("out of a repository that is paused: it is closed once that is enabled again", async () => {
    const app = await givenPaired(await open());
    await app.tandem.pause(app.connection.id, "release day");
    await moveTo(app, "2");
    app.github.as("mona").editIssue(SITE, 1, { title: "Theirs" });
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["open: Theirs"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(await app.task()).toMatchObject({ project_id: "2", title: "Broken link" });
    expect(issuesOf(app, SITE)).toEqual(["closed: Theirs"]);
    expect(app.writes()).toBe(2);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a move and a transfer", (open) => {
  it("S40: the scope that follows a transferred issue is no move", async () => {
    const app = await givenPaired(await open());
    app.github.as("acme").transferIssue(SITE, 1, APP);
    await app.settle();

    expect(await app.task()).toMatchObject({ project_id: "2" });
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed followed_move",
      "inbound ignored tombstoned",
    ]);
    // The webhook at the old address tells of the departure.
    const departures = (await app.events()).filter(({ state }) => state === "ignored");
    expect(departures).toMatchObject([{ action: "delete" }]);
    expect(app.writes()).toBe(0);
    await expectAtRest(app);
  });

  it("S40: edited while its transferred issue is followed: it gets no issue where it was", async () => {
    const app = await givenPaired(await open());
    app.github.as("acme").transferIssue(SITE, 1, APP);
    app.github.faults.api.refuseConnections = true;
    await app.settle();
    await app.editTask(app.taskId, { title: "Ours" });
    await app.settle();
    // Nothing is to leave for where it was, whichever is tried again first.
    expect(await storyAt(app, SITE)).toEqual([]);
    app.github.faults.api.refuseConnections = false;
    app.github.clearRequests();
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "2", title: "Ours" });
    expect(issuesOf(app, SITE)).toEqual([]);
    expect(issuesOf(app, APP)).toEqual(["open: Ours"]);
    expect(await storyAt(app, APP)).toEqual([
      "inbound completed created_record",
      "inbound completed followed_move",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(1);
    await expectAtRest(app);
  });

  it("S40: moved on while its transferred issue is followed: it ends where the app put it", async () => {
    const app = await givenPaired(await open());
    app.github.as("acme").transferIssue(SITE, 1, APP);
    app.github.faults.api.refuseConnections = true;
    await app.settle();
    await moveTo(app, "3");
    await app.settle();
    app.github.faults.api.refuseConnections = false;
    app.github.clearRequests();
    await app.settleWithin(10);

    expect(app.writes()).toBe(1);
    expect(await app.task()).toMatchObject({ project_id: "3" });
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    expect(await storyAt(app, APP)).toEqual([
      "inbound completed created_record",
      "inbound completed followed_move",
      "outbound canceled superseded",
      "outbound completed moved_out_of_scope",
      "inbound ignored record_moved",
    ]);
    await expectAtRest(app);
  });

  it("S40: both to the same repository, here first: one task, and one open issue", async () => {
    const app = await givenPaired(await open());
    app.holdWebhooks();
    app.github.as("acme").transferIssue(SITE, 1, APP);
    const held = app.held();
    app.github.faults.webhooks.hold = false;
    await moveTo(app, "2");
    await app.settle();
    await app.release(...held);
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "2", title: "Broken link" });
    expect([...issuesOf(app, APP)].sort()).toEqual(["closed: Broken link", "open: Broken link"]);
    expect(await storyAt(app, APP)).toEqual([
      "inbound completed created_record",
      "outbound completed moved_to_connection",
      "inbound ignored record_moved",
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    // The new issue, and the old one closed where it is by now: the read before it was led there.
    expect(app.writes()).toBe(2);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a move that no trigger saw", (open) => {
  it("is found by the local sweep", async () => {
    const app = await givenPaired(await open());
    await unseen(app, "2");
    await app.settle();
    expect(app.github.calls({})).toBe(0);
    const swept = await app.tandem.sweepRecordsNow();
    expect(swept).toMatchObject([{ moved: 1, gone: 0, differing: 0 }, { moved: 0 }]);
    await app.settle();
    expect(app.writes()).toBe(2);
    await expectMoved(app);
  });

  for (const [where, index] of [
    ["left", 0],
    ["come to", 1],
  ] as const) {
    it(`is found by a reconcile of the repository it has ${where}, as its dry run says`, async () => {
      const app = await givenPaired(await open());
      await unseen(app, "2");
      const connection = (await app.status()).connections[index]?.id ?? "";
      const id = connection as typeof app.connection.id;
      const planned = await app.tandem.reconcile(id, { dryRun: true });
      // Either way the drain ends the old pairing, so the plan shows it.
      const [old] = app.github.issues(SITE);
      const removal = { kind: "remove_resource", externalId: String(old?.number) };
      expect(planned.actions).toMatchObject(
        index === 0 ? [removal] : [{ kind: "create_resource", externalId: null }, removal],
      );
      expect(app.writes()).toBe(0);
      const done = await app.tandem.reconcile(id);
      expect(done.actions).toEqual(planned.actions);
      await app.settle();
      expect(app.writes()).toBe(2);
      await expectMoved(app);
    });
  }

  it("back to a repository is found by a reconcile of it: the old issue is opened again", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "3");
    await app.settle();
    await unseen(app, "1");
    app.github.clearRequests();
    const planned = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(planned.actions).toMatchObject([
      { kind: "patch_resource", changes: [{ field: "state", from: "closed", to: "open" }] },
    ]);
    await app.tandem.reconcile(app.connection.id);
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(app.writes()).toBe(1);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("moves of many that no trigger saw", (open) => {
  const MANY = 12;

  async function givenMany(database: TestDatabase): Promise<Pair> {
    const app = await givenPaired(database);
    for (let number = 2; number <= MANY; number += 1) {
      app.github.as("mona").openIssue(SITE, { title: `Report ${number}` });
    }
    await app.settle();
    await app.advance(60_000);
    await app.tandem.syncNow();
    await app.settle();
    app.github.clearRequests();
    return app;
  }

  const openAt = (app: Pair, repository: string) =>
    issuesOf(app, repository).filter((issue) => issue.startsWith("open: ")).length;
  const removals = (actions: readonly { readonly kind: string }[]) =>
    actions.filter(({ kind }) => kind === "remove_resource").length;

  it("are held by a reconcile of where they come to, with what is below, until approved", async () => {
    const app = await givenMany(await open());
    const to = (await app.status()).connections[1]?.id as typeof app.connection.id;
    await app.addComment(app.taskId, "On it.");
    await app.settle();
    app.github.clearRequests();
    await unseen(app, "2");
    const planned = await app.tandem.reconcile(to, { dryRun: true });
    expect(removals(planned.actions)).toBe(MANY);

    const held = await app.tandem.reconcile(to);
    await app.settle();
    expect(held).toMatchObject({ applied: false, held: true, actions: [] });
    expect(app.writes()).toBe(0);
    expect([openAt(app, SITE), openAt(app, APP)]).toEqual([MANY, 0]);
    const [run] = (await app.status()).held_runs;
    expect(run).toMatchObject({ kind: "reconcile", deletes: MANY, overwrites: 0, records: 13 });

    await app.tandem.approve(run?.id ?? "");
    expect((await app.tandem.reconcile(to)).actions).toEqual(planned.actions);
    await app.settle();
    expect([openAt(app, SITE), openAt(app, APP)]).toEqual([0, MANY]);
  });

  it("are held by a reconcile of where they are back, as its dry run says", async () => {
    const app = await givenMany(await open());
    await app.sql("update tasks set project_id = 2");
    await app.settle();
    expect([openAt(app, SITE), openAt(app, APP)]).toEqual([0, MANY]);
    app.github.clearRequests();
    await unseen(app, "1");
    const planned = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(removals(planned.actions)).toBe(MANY);

    const held = await app.tandem.reconcile(app.connection.id);
    await app.settle();
    expect(held).toMatchObject({ applied: false, held: true, actions: [] });
    expect(app.writes()).toBe(0);
    expect([openAt(app, SITE), openAt(app, APP)]).toEqual([0, MANY]);
  });
});

describeOnOneDatabase("the scope column", (open) => {
  it("is watched though it is no mapped field, and what is not mapped is not", async () => {
    const app = await givenPaired(await open());
    await app.sql("update tasks set position = position + 1");
    await app.sql("update tasks set project_id = 2");
    expect(await app.sql("select operation, columns from tandem.changes")).toEqual([
      { operation: "update", columns: ["project_id"] },
    ]);
  });
});

describeOnOneDatabase("two repositories for one project", (open) => {
  it("a reconcile of one that was left shows what it closes in the other", async () => {
    const app = await givenPaired(await open());
    await connect(app, "acme/mirror", "1");
    await app.advance(60_000);
    await app.tandem.sweepNow();
    await app.tandem.reconcile((await app.status()).connections[2]?.id as typeof app.connection.id);
    await app.settle();
    expect(issuesOf(app, "acme/mirror")).toEqual(["open: Broken link"]);
    await unseen(app, "2");
    const planned = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(planned.actions.map(({ kind }) => kind)).toEqual(["remove_resource", "remove_resource"]);
    expect((await app.tandem.reconcile(app.connection.id)).actions).toEqual(planned.actions);
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, "acme/mirror")).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
  });

  it("both old issues are closed, one new one is made, and nobody else's task is touched", async () => {
    const app = await givenProjects(await open());
    await connect(app, "acme/mirror", "1");
    const stays = await app.addTask({ title: "Stays" });
    const taskId = await app.addTask({ title: "Goes" });
    await app.settle();
    await app.advance(60_000);
    await app.tandem.syncNow();
    await app.settle();
    app.github.clearRequests();
    const before = await app.events(`record=tasks:${stays}`);
    await moveTo({ ...app, taskId }, "2");
    await app.settle();

    for (const repository of [SITE, "acme/mirror"]) {
      expect(issuesOf(app, repository)).toEqual(["open: Stays", "closed: Goes"]);
    }
    expect(issuesOf(app, APP)).toEqual(["open: Goes"]);
    expect(app.writes()).toBe(3);
    expect(await app.events(`record=tasks:${stays}`)).toEqual(before);
  });
});
