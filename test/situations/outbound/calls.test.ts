/** Situations 26 to 29: what is sent, when, and in how many calls. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest } from "../../harness/in-flight.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

const PATCH = { method: "PATCH", path: /\/issues\/1$/ };
const HOUR = 60;

describeOnOneDatabase("what goes out", (open) => {
  it("S26 API down for an hour: local writes go on, all arrive after, one call a record", async () => {
    const app = await givenSampleTandem(await open());
    const known = await app.addTask({ title: "Known" });
    await app.settle();
    app.github.clearRequests();
    app.github.faults.api.down = true;

    await app.editTask(known, { title: "Known, edited" });
    await app.settleWithin(HOUR / 2);
    const fresh = await app.addTask({ title: "Fresh" });
    const comment = await app.addComment(known, "Said meanwhile");
    await app.editTask(known, { markdown: "Edited again" });
    await app.advance((HOUR / 2) * 60_000);
    await app.settle();
    expect(app.github.calls({ writes: true, applied: true })).toBe(0);
    expect(await app.tasks()).toMatchObject([
      { id: known, title: "Known, edited", markdown: "Edited again" },
      { id: fresh, title: "Fresh" },
    ]);

    app.github.faults.api.down = false;
    await app.tandem.syncNow();
    await app.settleWithin(HOUR);
    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, title: "Known, edited" },
      { number: 2, title: "Fresh" },
    ]);
    expect(app.github.issue(app.repo, 1)?.body).toContain("Edited again");
    expect(app.github.comments(app.repo)).toMatchObject([{ issueNumber: 1 }]);
    expect(await app.comments()).toMatchObject([{ id: comment, markdown: "Said meanwhile" }]);
    expect(app.github.calls({ writes: true, applied: true })).toBe(3);
    // Each is tried once before its outcome is unknown, and looked for from then on.
    expect(app.writes()).toBe(6);
    expect(await app.story(`record=tasks:${known}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "outbound canceled superseded",
      "outbound completed updated_resource",
      // The poll reads again what our unanswered PATCH may have done.
      "inbound duplicate nothing_new",
      "inbound duplicate same_content",
      "inbound duplicate same_content",
    ]);
    expect(await app.story(`record=tasks:${fresh}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(await app.story(`record=comments:${comment}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect((await app.status()).live).toEqual({
      queued: 0,
      processing: 0,
      errored: 0,
      disabled: 0,
    });
  });

  it("S26 an event that has failed too often waits for the next poll, and arrives then", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.api.refuseConnections = true;
    const id = await app.addTask({ title: "Patient" });
    await app.settleWithin(5 * HOUR);
    expect(await app.events()).toMatchObject([
      {
        state: "errored",
        reason: "retries_exhausted",
        attempts: 10,
        error: { code: "unreachable", retryable: true },
      },
    ]);
    expect(app.writes()).toBe(10);

    app.github.clearFaults();
    app.github.clearRequests();
    await app.tandem.syncNow();
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Patient" }]);
    expect(await app.tasks()).toMatchObject([{ id, title: "Patient" }]);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(1);
  });

  it("S27 100 local edits of a task in a burst: at most 2 calls", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Edit 0" });
    await app.settle();
    app.github.clearRequests();
    await app.editTask(id, { title: "Edit 1" });
    const { hold, done } = await catchRequest(app, PATCH);
    for (let edit = 2; edit <= 100; edit += 1) {
      await app.editTask(id, { title: `Edit ${String(edit)}` });
    }
    await app.settle();
    hold.release();
    await done;
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, title: "Edit 100" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Edit 100" }]);
    expect(await app.story("direction=outbound")).toEqual([
      "outbound completed created_resource",
      "outbound completed updated_resource",
      "outbound completed updated_resource",
    ]);
    expect(app.writes()).toBe(2);
  });

  it("S27 a burst that outlasts many answers: the first edit at once, the others in one call", async () => {
    const app = await givenSampleTandem(await open(), (config) => ({
      ...config,
      safety: { writePause: 2_000 },
    }));
    const id = await app.addTask({ title: "Edit 0" });
    await app.settle();
    await app.advance(HOUR * 60_000);
    app.github.clearRequests();
    for (let edit = 1; edit <= 30; edit += 1) {
      await app.editTask(id, { title: `Edit ${String(edit)}` });
      await app.settle();
      await app.advance(50);
    }
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Edit 1" });
    expect(app.writes()).toBe(1);
    expect(await app.status()).toMatchObject({ live: { queued: 1 } });
    await app.advance(500);
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Edit 30" });
    expect(app.writes()).toBe(2);
  });

  it("S27 the same before the task has an issue: one call", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Edit 0" });
    for (let edit = 1; edit <= 100; edit += 1) {
      await app.editTask(id, { title: `Edit ${String(edit)}` });
    }
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, title: "Edit 100" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Edit 100" }]);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(0);
  });

  it("S28 task moved in its list, nothing mapped changed: no call", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Movable" });
    await app.settle();
    app.github.clearRequests();
    await app.sql("update tasks set position = 0.5, modified_at = tandem.now()");
    expect(await app.status()).toMatchObject({ undrained: 0 });
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, title: "Movable" }]);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.github.calls()).toBe(0);
  });

  it("S28 a status that means the same to the resource: no call, and the ledger says why", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Movable", status: "todo" });
    await app.settle();
    app.github.clearRequests();
    await app.editTask(id, { status: "doing" });
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, status: "doing" }]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ state: "open" });
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "outbound completed nothing_to_send",
    ]);
    expect(app.github.calls()).toBe(0);
  });

  it("S29 local edit to B and back to A before sending: no call", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "A" });
    await app.settle();
    app.github.clearRequests();
    await app.editTask(id, { title: "B" });
    await app.editTask(id, { title: "A" });
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, title: "A" }]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "A" });
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "outbound completed nothing_to_send",
    ]);
    expect(app.github.calls()).toBe(0);
  });

  it("S29 back to A while B is on its way: two calls, and both ends say A", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "A" });
    await app.settle();
    app.github.clearRequests();
    await app.editTask(id, { title: "B" });
    const { hold, done } = await catchRequest(app, PATCH);
    await app.editTask(id, { title: "A" });
    await app.settle();
    hold.release();
    await done;
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, title: "A" }]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "A" });
    expect(await app.story("direction=outbound")).toEqual([
      "outbound completed created_resource",
      "outbound completed updated_resource",
      "outbound completed updated_resource",
    ]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.writes()).toBe(2);
  });
});
