/** Issues that were taken for deleted and are alive after all: situations 38 and 52, undone. */
import { expect, it } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import type { SampleTandem } from "../../harness/sample-tandem.ts";
import { givenPair, hideForASweep, sweep, tellOfADeletion } from "../../harness/wrong-deletions.ts";

const reasons = async (app: SampleTandem) => (await app.events()).map(({ reason }) => reason);

describeOnOneDatabase("an issue that was taken for deleted and is alive", (open) => {
  it("archive: its task is taken back and takes what was edited meanwhile, and the pairing lives", async () => {
    const app = await givenPair(await open());
    await hideForASweep(app, 1);
    const archived = await app.task();
    expect(archived.deleted_at).not.toBeNull();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited there" });
    await app.settle();
    expect((await app.story()).at(-1)).toBe("inbound ignored tombstoned");
    await app.advance(60_000);

    await sweep(app);
    expect(await app.task()).toMatchObject({
      id: archived.id,
      title: "Edited there",
      deleted_at: null,
    });
    expect((await app.events()).at(-1)).toMatchObject({
      direction: "inbound",
      source: "reread",
      state: "completed",
      reason: "resource_returned",
      changes: [{ side: "record", field: "title", from: "Here", to: "Edited there" }],
      conflicts: [],
    });
    expect(await app.pairings(archived.id)).toMatchObject([
      { integration_external_id: "1", in_sync: true },
    ]);
    // The lists of issues and comments, and the look at the one that had ended.
    expect(app.reads()).toBe(3);
    expect(app.writes()).toBe(0);

    // It is as if nothing had been: edits go both ways, and a sweep asks for nothing.
    await app.advance(60_000);
    app.github.clearRequests();
    await app.editTask(archived.id, { markdown: "Edited here" });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ body: "Edited here", state: "open" });
    app.github.clearRequests();
    await sweep(app);
    await app.tandem.sweepRecordsNow();
    await app.settle();
    expect(app.reads()).toBe(2);
    expect(app.writes()).toBe(0);
  });

  it("archive: what was written to the archived task meanwhile is sent", async () => {
    const app = await givenPair(await open());
    await hideForASweep(app, 1);
    const { id } = await app.task();
    await app.editTask(id, { markdown: "Written in the archive" });
    await app.settle();
    await app.advance(60_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited there" });
    await app.settle();
    await app.advance(60_000);

    await sweep(app);
    expect(await app.task()).toMatchObject({
      title: "Edited there",
      markdown: "Written in the archive",
      deleted_at: null,
    });
    expect(app.github.issue(app.repo, 1)).toMatchObject({
      title: "Edited there",
      body: "Written in the archive",
    });
    expect(app.writes()).toBe(1);
  });

  it("a webhook, a poll and a webhook of an edit verify nothing; the sweep does, after a forged deletion too", async () => {
    const app = await givenPair(await open());
    await tellOfADeletion(app);
    expect((await app.task()).deleted_at).not.toBeNull();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited there" });
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();
    expect((await app.task()).deleted_at).not.toBeNull();
    await app.advance(60_000);

    await sweep(app);
    expect(await app.task()).toMatchObject({ title: "Edited there", deleted_at: null });
    expect((await reasons(app)).at(-1)).toBe("resource_returned");
  });

  it("delete: a new task is made of it, once", async () => {
    const app = await givenPair(await open(), "delete");
    const before = await app.task();
    await hideForASweep(app, 1);
    expect(await app.tasks()).toEqual([]);

    await sweep(app);
    const after = await app.task();
    expect(after).toMatchObject({ title: "Here", markdown: "Text", deleted_at: null });
    expect(after.id).not.toBe(before.id);
    expect((await reasons(app)).at(-1)).toBe("resource_returned_anew");
    expect(await app.pairings(after.id)).toMatchObject([
      { integration_external_id: "1", in_sync: true },
    ]);
    expect(app.reads()).toBe(3);
    await app.advance(60_000);
    await sweep(app);
    expect(await app.tasks()).toHaveLength(1);
    expect(app.reads()).toBe(5);
    expect(app.writes()).toBe(0);
  });

  it("detach: its task is paired again; a field that both changed meanwhile is in a conflict", async () => {
    const app = await givenPair(await open(), "detach");
    await hideForASweep(app, 1);
    const { id } = await app.task();
    await app.editTask(id, { title: "Ours", markdown: "Ours alone" });
    await app.settle();
    expect((await app.story()).at(-1)).toBe("outbound ignored tombstoned");
    await app.advance(60_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.settle();
    await app.advance(60_000);

    await sweep(app);
    expect(await app.task()).toMatchObject({ id, title: "Theirs", markdown: "Ours alone" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Theirs", body: "Ours alone" });
    const back = (await app.events()).find(({ reason }) => reason === "resource_returned");
    expect(back?.conflicts).toMatchObject([
      { field: "title", winner: "resource", kept: "Theirs", lost: "Ours" },
    ]);
    expect(app.writes()).toBe(1);
  });

  it("listed and not found by id: nothing is done, and it is asked for once a sweep", async () => {
    const app = await givenPair(await open());
    await hideForASweep(app, 1);
    for (const status of [404, 410]) {
      app.github.clearRequests();
      app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: status });
      await sweep(app);
      expect((await app.task()).deleted_at).not.toBeNull();
      // After a 410 the adapter asks whether the repository has issues at all.
      expect(app.reads()).toBe(status === 410 ? 4 : 3);
    }
    expect((await reasons(app)).at(-1)).toBe("archived_record");
  });

  it("listed moments after its deletion was told: the list may lag, so nobody is asked", async () => {
    const app = await givenPair(await open());
    app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: 404 });
    app.github.faults.api.lists = "empty";
    await sweep(app);
    app.github.clearFaults();
    app.github.clearRequests();
    await app.advance(10_000);
    await sweep(app);
    expect((await app.task()).deleted_at).not.toBeNull();
    expect(app.reads()).toBe(2);
    await app.advance(30_000);
    await sweep(app);
    expect((await app.task()).deleted_at).toBeNull();
  });

  it("the dry run prints what the live run does, and does nothing", async () => {
    for (const policy of ["archive", "delete", "detach"] as const) {
      const app = await givenPair(await open(), policy);
      await hideForASweep(app, 1);
      app.github.as("mona").editIssue(app.repo, 1, { title: "Edited there" });
      await app.settle();
      await app.advance(60_000);
      app.github.clearRequests();
      const events = await app.events();

      const dry = await app.tandem.reconcile(app.connection.id, { dryRun: true });
      expect(await app.events()).toEqual(events);
      const reads = app.reads();
      const live = await app.tandem.reconcile(app.connection.id);
      expect(app.reads()).toBe(2 * reads);
      expect(live.actions).toEqual(dry.actions);
      expect(live.actions.map(({ kind }) => kind)).toEqual([
        policy === "delete" ? "create_record" : "restore_record",
      ]);
      await app.settle();
      const back = (await app.events()).at(-1);
      expect(back?.reason).toContain("resource_returned");
      expect(back?.changes).toEqual(dry.actions[0]?.changes);
      const again = await app.tandem.reconcile(app.connection.id);
      expect(again.actions).toEqual([]);
    }
  });

  it("an issue that we closed for a deleted task costs no call, whatever is reported of it later", async () => {
    const app = await givenPair(await open());
    const { id } = await app.task();
    await app.sql("delete from tasks where id = $1", [id]);
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ state: "closed" });
    await app.advance(60_000);
    app.github.clearRequests();
    await sweep(app);
    expect(app.reads()).toBe(2);

    await tellOfADeletion(app);
    await sweep(app);
    expect(app.reads()).toBe(2);
    expect(await app.tasks()).toEqual([]);
    expect(app.writes()).toBe(0);
  });

  it("its task is no record that the app deleted, however it is looked at before it is taken back", async () => {
    const app = await givenPair(await open());
    await hideForASweep(app, 1);
    await app.tandem.sweepNow();
    const dry = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(dry.actions).toEqual([]);
    expect(await app.tandem.sweepRecordsNow()).toMatchObject([{ gone: 0, differing: 0 }]);
    const { id } = await app.task();
    await app.editTask(id, { markdown: "Written in the archive" });
    await app.settle();

    expect(await app.task()).toMatchObject({
      markdown: "Written in the archive",
      deleted_at: null,
    });
    expect(app.github.issue(app.repo, 1)).toMatchObject({
      body: "Written in the archive",
      state: "open",
    });
    expect(app.writes()).toBe(1);
  });

  it("its task is taken back by the app as well, before that is done: one issue, one task", async () => {
    const app = await givenPair(await open());
    await hideForASweep(app, 1);
    await app.tandem.sweepNow();
    const { id } = await app.task();
    await app.editTask(id, { deleted_at: null, title: "Ours" });
    await app.settle();

    expect(await app.task()).toMatchObject({ id, title: "Ours", deleted_at: null });
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Ours" }]);
    expect(app.writes()).toBe(1);
  });

  it("its task was taken back by the app, and its next issue is still to be made: it needs none", async () => {
    const app = await givenPair(await open());
    await hideForASweep(app, 1);
    const { id } = await app.task();
    await app.editTask(id, { deleted_at: null, title: "Ours" });
    await drainChanges(app.tandem.services);
    expect((await app.events()).at(-1)).toMatchObject({ direction: "outbound", state: "queued" });
    await sweep(app);

    expect(await app.task()).toMatchObject({ id, title: "Ours", deleted_at: null });
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Ours" }]);
    expect(await app.story()).toContain("outbound canceled superseded");
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
    expect(app.writes()).toBe(1);
  });

  it("its task has another issue by now: it becomes a task of its own", async () => {
    const app = await givenPair(await open());
    await hideForASweep(app, 1);
    const { id } = await app.task();
    await app.editTask(id, { deleted_at: null });
    await app.settle();
    expect(app.github.issues(app.repo)).toHaveLength(2);
    await app.advance(60_000);
    await sweep(app);

    const tasks = await app.tasks();
    expect(tasks).toHaveLength(2);
    expect(tasks.map(({ deleted_at }) => deleted_at)).toEqual([null, null]);
    expect(app.github.issues(app.repo)).toHaveLength(2);
    expect((await reasons(app)).at(-1)).toBe("resource_returned_anew");
    expect(app.writes()).toBe(1);
  });

  it("its archived task was purged, or archived by the app's own hand: a new one is made", async () => {
    for (const how of ["purged", "archived"] as const) {
      const app = await givenPair(await open());
      await hideForASweep(app, 1);
      const { id } = await app.task();
      if (how === "purged") await app.sql("delete from tasks where id = $1", [id]);
      else await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
      await app.settle();
      await app.advance(60_000);
      await sweep(app);

      const living = (await app.tasks()).filter(({ deleted_at }) => deleted_at === null);
      expect(living).toMatchObject([{ title: "Here" }]);
      expect(living[0]?.id).not.toBe(id);
      expect(app.github.issue(app.repo, 1)).toMatchObject({ state: "open" });
      expect(app.writes()).toBe(0);
    }
  });

  it("a task that the app archived just before its issue was taken for deleted stays archived", async () => {
    const app = await givenPair(await open());
    const { id } = await app.task();
    app.github.faults.api.lists = "empty";
    app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: 404 });
    await app.editTask(id, { deleted_at: "2026-03-02T10:00:00Z" });
    await app.tandem.sweepNow();
    await app.settle();
    app.github.clearFaults();
    await app.advance(60_000);
    app.github.clearRequests();
    await sweep(app);

    expect((await app.task()).deleted_at).not.toBeNull();
    expect(app.reads()).toBe(2);
    expect(app.writes()).toBe(0);
  });

  it("more of them than a run may write: it is held, as the run was that took them for deleted", async () => {
    const app = await givenPair(await open());
    const all = Array.from({ length: 15 }, (_, index) => index + 1);
    for (const number of all.slice(1)) {
      app.github.as("mona").openIssue(app.repo, { title: `Issue ${String(number)}` });
    }
    await app.settle();
    await app.advance(60_000);
    const approve = async (what: object) => {
      const [run] = (await app.status()).held_runs;
      expect(run).toMatchObject(what);
      expect(await app.tandem.approve(run?.id ?? "")).toBe(true);
    };
    await hideForASweep(app, ...all);
    await approve({ deletes: 15, overwrites: 0 });
    await hideForASweep(app, ...all);
    const archived = async () =>
      (await app.tasks()).filter(({ deleted_at }) => deleted_at !== null).length;
    expect(await archived()).toBe(15);

    await sweep(app);
    expect(await archived()).toBe(15);
    await approve({ kind: "id_sweep", deletes: 0, overwrites: 15 });
    await sweep(app);
    expect(await archived()).toBe(0);
    expect((await app.status()).held_runs).toEqual([]);
    expect(app.writes()).toBe(0);
  });
});
