/** Records that are handed back to a resource that is alive, by the lane that they got meanwhile. */
import { expect, it } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenPair, hideForASweep, sweep } from "../../harness/wrong-deletions.ts";

describeOnOneDatabase("an issue that is alive and whose task", (open) => {
  it("was taken back and edited by the app after the issue was: the later edit stays", async () => {
    const app = await givenPair(await open());
    await hideForASweep(app, 1);
    const { id } = await app.task();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.settle();
    await app.advance(60_000);
    await app.editTask(id, { deleted_at: null, title: "Ours" });
    await drainChanges(app.tandem.services);
    await app.advance(60_000);
    app.github.clearRequests();

    const dry = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    const planned = dry.actions.map(({ kind, changes }) => [
      kind,
      changes.map(({ side, to }) => [side, to]),
    ]);
    expect(planned).toEqual([
      ["restore_record", []],
      ["patch_resource", [["resource", "Ours"]]],
    ]);
    await sweep(app);
    expect(await app.task()).toMatchObject({ id, title: "Ours", deleted_at: null });
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Ours" }]);
    const back = (await app.events()).find(({ reason }) => reason === "resource_returned");
    expect(back?.conflicts).toMatchObject([
      { field: "title", winner: "record", kept: "Ours", lost: "Theirs" },
    ]);
    expect(app.writes()).toBe(1);
  });

  it("the connection is paused before its task is handed back: what waits for the task goes on later", async () => {
    const app = await givenPair(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Second" });
    await app.settle();
    await app.advance(60_000);
    await hideForASweep(app, 1, 2);
    const task = (await app.tasks()).find(({ title }) => title === "Here");
    const id = task?.id ?? "";
    await app.editTask(id, { deleted_at: null, title: "Ours" });
    await drainChanges(app.tandem.services);

    // The first is planned by then, and the second is still asked for.
    const hold = app.github.holdNext({ method: "GET", path: /\/issues\/2$/ });
    const swept = app.tandem.sweepNow();
    await hold.arrived;
    await app.tandem.pause(app.connection.id, "release day");
    hold.release();
    await swept;
    await app.settle();
    expect(await app.pairings(id)).toMatchObject([
      { integration_external_id: "1" },
      { integration_external_id: null, events: [{ state: "disabled" }] },
    ]);
    expect(app.writes()).toBe(0);

    await app.tandem.enable(app.connection.id);
    await sweep(app);
    expect((await app.pairings(id)).map(({ in_sync }) => in_sync)).toEqual([true]);
    expect(app.writes()).toBe(1);
  });
});
