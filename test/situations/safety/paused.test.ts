/** Situation 45: a connection paused, events come in, enabled again: current state, not a replay. */
import { expect, it } from "vitest";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("a paused connection", (open) => {
  it("S45 keeps what comes in, processes nothing, and goes on with the current state", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Old", body: "" });
    await app.settle();
    await app.tandem.pause(app.connection.id, "release day");
    app.github.clearRequests();

    for (const title of ["First", "Second", "Third"]) {
      await app.advance(5_000);
      app.github.as("mona").editIssue(app.repo, 1, { title });
    }
    await app.settle();
    const task = await app.task();
    await app.editTask(task.id, { markdown: "Written meanwhile" });
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Old" });
    expect(app.github.calls({})).toBe(0);
    expect(await app.story("state=disabled")).toEqual([
      "inbound disabled connection_paused",
      "inbound disabled connection_paused",
      "inbound disabled connection_paused",
      "outbound disabled connection_paused",
    ]);

    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Third", markdown: "Written meanwhile" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({
      title: "Third",
      body: "Written meanwhile",
    });
    expect(app.writes()).toBe(1);
    // The newest is read again, and once more before our write; the two before it are canceled by it.
    expect(app.reads()).toBe(2);
    expect(await app.story("state=canceled")).toEqual([
      "inbound canceled superseded",
      "inbound canceled superseded",
    ]);
    expect(await app.story("state=disabled")).toEqual([]);
  });

  it("S45 disables what was queued before the pause instead of running it", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Not yet" });
    app.github.failNext({ method: "POST", with: 503 });
    await app.settle();
    expect(await app.story()).toEqual(["outbound queued retry"]);

    await app.tandem.pause(app.connection.id, "release day");
    app.github.clearRequests();
    await app.settleWithin(60);
    expect(await app.story()).toEqual(["outbound disabled connection_paused"]);
    expect(app.github.calls({})).toBe(0);

    await app.tandem.enable(app.connection.id);
    await app.settleWithin(5);
    expect(app.github.issues(app.repo)).toHaveLength(1);
  });

  it("S45 enabled before what waited was claimed: what came meanwhile is newer, and goes on", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Old" });
    await app.settle();
    await app.advance(10_000);
    app.holdWebhooks();
    for (const title of ["First", "Second"]) {
      app.github.as("mona").editIssue(app.repo, 1, { title });
      await app.advance(5_000);
    }
    const [first, second] = app.held();
    if (first === undefined || second === undefined) throw new Error("two edits, two webhooks");
    app.github.clearRequests();

    await app.release(first);
    await translateDeliveries(app.tandem.services, null);
    await app.tandem.pause(app.connection.id, "a minute");
    await app.release(second);
    await translateDeliveries(app.tandem.services, null);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound queued admitted",
      "inbound disabled connection_paused",
    ]);
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Second" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Second" });
    const [, one, two] = await app.events();
    expect(one).toMatchObject({ state: "canceled", reason: "superseded", canceled_by: two?.id });
    expect(two).toMatchObject({ state: "completed", reason: "updated_record" });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(1);
  });
});
