/** Situations 50 and 51: an errored event restarted too late, and one poisoned resource among others. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { withPoison } from "../../harness/sample-hooks.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const REFUSED = "A title that the table refuses";
const PATCH = { method: "PATCH", path: /\/issues\/1$/ };

async function restart(app: SampleTandem, event: string | undefined): Promise<number> {
  const url = `http://localhost/api/events/${event ?? ""}/restart`;
  const response = await app.tandem.fetch(
    new Request(url, { method: "POST", headers: { "content-type": "application/json" } }),
  );
  return response.status;
}

/** An issue whose edit the app's table refused permanently. */
async function givenErroredEdit(database: TestDatabase) {
  const app = await givenSampleTandem(database);
  await app.sql(`alter table tasks add constraint short_titles check (title <> '${REFUSED}')`);
  app.github.as("mona").openIssue(app.repo, { title: "Opened", body: "Kept" });
  await app.settle();
  await app.advance(5_000);
  app.github.as("mona").editIssue(app.repo, 1, { title: REFUSED });
  await app.settle();
  const [, errored] = await app.events();
  expect(errored).toMatchObject({
    state: "errored",
    reason: "failed",
    error: { code: "check_violated", retryable: false },
  });
  expect(errored?.error?.hint).not.toBe("");
  expect(await app.task()).toMatchObject({ title: "Opened" });
  await app.advance(5_000);
  return { app, errored };
}

async function liftConstraint(app: SampleTandem): Promise<void> {
  await app.sql("alter table tasks drop constraint short_titles");
}

describeOnOneDatabase("an errored event restarted after newer ones came", (open) => {
  it("S50 a newer edit takes its place: neither a restart nor a redelivery brings the old one back", async () => {
    const { app, errored } = await givenErroredEdit(await open());
    const [, refused] = app.github.deliveries;
    app.github.as("mona").editIssue(app.repo, 1, { title: "Newer" });
    await app.settle();
    await liftConstraint(app);

    expect(await restart(app, errored?.id)).toBe(409);
    app.github.redeliver(refused?.id ?? 0);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Newer", markdown: "Kept" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Newer" });
    const [, old, newer, ...more] = await app.events();
    expect(old).toMatchObject({
      id: errored?.id,
      state: "canceled",
      reason: "superseded",
      canceled_by: newer?.id,
    });
    expect(newer).toMatchObject({ state: "completed", reason: "updated_record" });
    expect(more).toEqual([]);
    expect(app.writes()).toBe(0);
    // The edit came while the newest content known was in doubt.
    expect(app.reads()).toBe(1);
  });

  it("S50 the newer edit's webhook was lost: the restart reads the issue and takes what it says now", async () => {
    const { app, errored } = await givenErroredEdit(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").editIssue(app.repo, 1, { title: "Newer, unheard" });
    await liftConstraint(app);

    expect(await restart(app, errored?.id)).toBe(200);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Newer, unheard", markdown: "Kept" });
    expect(await app.events()).toMatchObject([
      { state: "completed", reason: "created_record" },
      { id: errored?.id, state: "completed", reason: "updated_record", error: null },
    ]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Newer, unheard", body: "Kept" });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(1);
  });

  it("S50 an answer of ours brought newer content: the restarted event is ignored for what moved the clock", async () => {
    const { app, errored } = await givenErroredEdit(await open());
    await liftConstraint(app);
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").editIssue(app.repo, 1, { title: "Newer, unheard" });
    await app.advance(5_000);
    const { id } = await app.task();
    await app.editTask(id, { markdown: "Ours" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Newer, unheard", markdown: "Ours" });
    expect(app.writes()).toBe(1);
    app.github.clearRequests();

    expect(await restart(app, errored?.id)).toBe(200);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Newer, unheard", markdown: "Ours" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Newer, unheard", body: "Ours" });
    const [, old, ours, ...more] = await app.events();
    expect(ours).toMatchObject({
      direction: "outbound",
      state: "completed",
      reason: "updated_resource",
    });
    expect(more).toEqual([]);
    expect(old).toMatchObject({
      state: "ignored",
      reason: "later_event",
      ignored_for_id: ours?.id,
      ignored_for_type: "events",
    });
    expect(app.github.calls({})).toBe(0);
  });

  it("S50 a refused write restarted after a newer local edit: the newer one is what was sent, once", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Known" });
    await app.settle();
    app.github.clearRequests();
    app.github.failNext({ ...PATCH, with: 422 });
    await app.editTask(id, { title: "Refused" });
    await app.settle();
    const refused = (await app.events("state=errored"))[0];
    expect(refused).toMatchObject({ direction: "outbound", reason: "failed" });
    await app.editTask(id, { title: "Newer" });
    await app.settle();

    expect(await restart(app, refused?.id)).toBe(409);
    await app.settle();

    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Newer" });
    expect(await app.task()).toMatchObject({ title: "Newer" });
    const newer = (await app.events("state=completed")).at(-1);
    expect(newer).toMatchObject({ direction: "outbound", reason: "updated_resource" });
    expect(await app.events("state=canceled")).toMatchObject([
      { id: refused?.id, reason: "superseded", canceled_by: newer?.id },
    ]);
    expect(app.writes()).toBe(2);
    expect(app.github.calls({ writes: true, applied: true })).toBe(1);
  });

  it("S50 an issue deleted meanwhile: the restarted edit is ignored, for the deletion", async () => {
    const { app, errored } = await givenErroredEdit(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    await liftConstraint(app);

    expect(await restart(app, errored?.id)).toBe(200);
    await app.settle();

    const task = await app.task();
    expect(task).toMatchObject({ title: "Opened" });
    expect(task.deleted_at).not.toBeNull();
    expect(app.github.issues(app.repo)).toEqual([]);
    expect(await app.events("state=errored")).toEqual([]);
    const removal = (await app.events()).find(({ action }) => action === "delete");
    expect(removal).toMatchObject({ state: "completed", reason: "archived_record" });
    expect((await app.events()).find(({ id }) => id === errored?.id)).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignored_for_id: removal?.id,
    });
    expect(app.writes()).toBe(0);
  });
});

describeOnOneDatabase("one poisoned resource", (open) => {
  it("S51 the app's table refuses one issue: all others flow, both ways, and its own next edit too", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), undefined, { log });
    await app.sql(`alter table tasks add constraint no_poison check (title <> '${REFUSED}')`);
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: REFUSED });
    for (const title of ["One", "Two", "Three"]) mona.openIssue(app.repo, { title });
    await app.addTask({ title: "From here" });
    await app.settle();

    expect((await app.tasks()).map(({ title }) => title).sort()).toEqual([
      "From here",
      "One",
      "Three",
      "Two",
    ]);
    expect(app.github.issue(app.repo, 5)).toMatchObject({ title: "From here" });
    const errored = await app.events("state=errored");
    expect(errored).toMatchObject([
      {
        integration_external_id: "1",
        reason: "failed",
        attempts: 1,
        error: { code: "check_violated", retryable: false },
      },
    ]);
    expect((await app.status()).live).toEqual({
      queued: 0,
      processing: 0,
      errored: 1,
      disabled: 0,
    });
    // The log leads to the event, and to the place in the code.
    expect(lines).toContainEqual({
      message: "an event failed",
      lane: expect.stringMatching(/^\d+$/) as string,
      event: errored[0]?.id,
      error: errored[0]?.error?.message,
      stack: expect.stringContaining("RecordWriteError") as string,
    });
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(0);

    // The backfill and the first poll show it again, so it is tried once more each; then polls leave it
    // alone.
    const failed: (string | undefined)[] = [];
    for (let poll = 0; poll < 3; poll += 1) {
      await app.advance(60_000);
      await app.tandem.syncNow();
      await app.settle();
      failed.push((await app.events("state=errored")).map(({ id }) => id).join());
    }
    expect(failed[2]).toBe(failed[1]);
    expect(failed[2]).not.toContain(",");

    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Cured" });
    await app.settle();
    expect((await app.tasks()).map(({ title }) => title)).toContain("Cured");
    expect((await app.status()).live).toMatchObject({ queued: 0, errored: 0 });
    expect(app.writes()).toBe(1);
  });

  it("S51 a mapping that throws for one row: its writes are errored, and others of the batch arrive", async () => {
    const app = await givenSampleTandem(await open(), withPoison);
    const titles = ["One", "Poisoned", "Two"];
    for (const title of titles) await app.addTask({ title });
    await app.settle();

    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual(["One", "Two"]);
    expect(await app.events("state=errored")).toMatchObject([
      {
        ...{ record_id: "2", direction: "outbound", reason: "failed" },
        error: {
          retryable: false,
          message: "the mapping of markdown to body failed: cannot be rendered",
        },
      },
    ]);
    expect(app.writes()).toBe(2);

    const [one, poisoned] = await app.tasks();
    await app.editTask(one?.id ?? "", { markdown: "Edited" });
    await app.editTask(poisoned?.id ?? "", { title: "Cured" });
    await app.settle();
    expect(app.github.issues(app.repo).map(({ title, body }) => [title, body])).toEqual([
      ["One", expect.stringContaining("Edited")],
      ["Two", expect.anything()],
      ["Cured", expect.anything()],
    ]);
    expect((await app.status()).live).toMatchObject({ queued: 0, errored: 0 });
    expect(app.writes()).toBe(4);
  });

  it("S51 GitHub fails for one issue, again and again: others do not wait for its attempts", async () => {
    const app = await givenSampleTandem(await open());
    for (const title of ["Poisoned", "One", "Two"]) await app.addTask({ title });
    await app.settle();
    app.github.clearRequests();
    const [poisoned, ...others] = await app.tasks();
    for (let attempt = 0; attempt < 10; attempt += 1) app.github.failNext({ ...PATCH, with: 500 });
    await app.editTask(poisoned?.id ?? "", { title: "Poisoned, edited" });
    await app.settle();
    for (const { id } of others) await app.editTask(id, { markdown: "Edited" });
    await app.settle();

    expect(app.github.issue(app.repo, 2)?.body).toContain("Edited");
    expect(app.github.issue(app.repo, 3)?.body).toContain("Edited");
    expect(await app.events("state=queued")).toMatchObject([
      { record_id: poisoned?.id, reason: "retry", attempts: 1 },
    ]);
    expect(app.writes()).toBe(3);

    await app.settleWithin(180);
    expect(await app.events("state=errored")).toMatchObject([
      { record_id: poisoned?.id, reason: "retries_exhausted", attempts: 10 },
    ]);
    // Each failure leaves open whether it was applied, so each attempt looks before it writes.
    expect(app.writes()).toBe(12);
    // Its error may pass, so the poll tries again.
    await app.tandem.syncNow();
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Poisoned, edited" });
    expect((await app.status()).live).toMatchObject({ queued: 0, errored: 0 });
    expect(app.writes()).toBe(13);
  });
});
