/** Situation 52: a listing that comes back empty or partial deletes nothing. */
import { expect, it } from "vitest";
import { sweepDue } from "../../../src/runtime/reconcile/sweep.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { tally } from "../../harness/tally.ts";

const DAY = 24 * 3_600_000;
const COUNT = 8;

/** Eight issues with a comment each, all paired, polled and swept once. */
async function givenPairs(
  database: TestDatabase,
  options: Parameters<typeof givenSampleTandem>[2] = {},
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, undefined, options);
  const mona = app.github.as("mona");
  for (let number = 1; number <= COUNT; number += 1) {
    mona.openIssue(app.repo, { title: `Issue ${String(number)}` });
    mona.comment(app.repo, number, `Comment ${String(number)}`);
    await app.advance(5_000);
  }
  await app.settle();
  await app.tandem.syncNow();
  await app.settle();
  await app.tandem.sweepNow();
  await app.settle();
  app.github.clearRequests();
  return app;
}

/** How all that happened ended, by then: each comment has brought its issue along, which was no news. */
const PAIRED = {
  "inbound completed created_record": 2 * COUNT,
  "inbound duplicate same_content": COUNT,
};

async function expectNothingDeleted(app: SampleTandem, more = {}): Promise<void> {
  const tasks = await app.tasks();
  expect(tasks).toHaveLength(COUNT);
  expect(tasks.every(({ deleted_at }) => deleted_at === null)).toBe(true);
  expect(await app.comments()).toHaveLength(COUNT);
  expect(app.github.issues(app.repo).every(({ state }) => state === "open")).toBe(true);
  expect(app.github.issues(app.repo)).toHaveLength(COUNT);
  expect(tally(await app.story())).toEqual({ ...PAIRED, ...more });
  expect(app.writes()).toBe(0);
}

describeOnOneDatabase("a listing that does not show everything", (open) => {
  for (const lists of ["empty", "partial"] as const) {
    it(`S52 ${lists}: the sweep asks for each missing one by id, and deletes nothing`, async () => {
      const app = await givenPairs(await open());
      app.github.faults.api.lists = lists;
      await app.tandem.sweepNow();
      await app.settle();

      await expectNothingDeleted(app);
      const missing = lists === "empty" ? 2 * COUNT : COUNT;
      expect(app.reads()).toBe(2 + missing);
    });

    it(`S52 ${lists}: the one that is really gone is found all the same, and only it`, async () => {
      const app = await givenPairs(await open());
      app.github.faults.webhooks.drop = 1;
      app.github.as("mona").deleteIssue(app.repo, 3);
      app.github.faults.api.lists = lists;
      await app.tandem.sweepNow();
      await app.settle();

      const tasks = await app.tasks();
      expect(tasks.filter(({ deleted_at }) => deleted_at !== null)).toMatchObject([
        { title: "Issue 3" },
      ]);
      expect(tasks).toHaveLength(COUNT);
      const deletions = (await app.events()).filter(({ action }) => action === "delete");
      expect(deletions.map(({ state, reason }) => `${state} ${reason}`).sort()).toEqual([
        "completed archived_record",
        "completed deleted_record",
      ]);
      expect(app.github.issues(app.repo).map(({ number }) => number)).toEqual([
        1, 2, 4, 5, 6, 7, 8,
      ]);
      expect(app.writes()).toBe(0);
    });

    it(`S52 ${lists}: a poll takes it for no news, and the next one brings what it missed`, async () => {
      const app = await givenPairs(await open());
      app.github.faults.webhooks.drop = 1;
      await app.advance(3_600_000);
      for (let number = 1; number <= COUNT; number += 1) {
        await app.advance(60_000);
        app.github.as("mona").editIssue(app.repo, number, { body: "Edited" });
      }
      app.github.faults.api.lists = lists;
      await app.tandem.syncNow();
      await app.settle();
      // A partial list shows every other one.
      const seen = lists === "partial" ? { "inbound completed updated_record": COUNT / 2 } : {};
      await expectNothingDeleted(app, seen);

      app.github.clearFaults();
      await app.tandem.syncNow();
      await app.settle();
      expect((await app.tasks()).map(({ markdown }) => markdown)).toEqual(
        Array.from({ length: COUNT }, () => "Edited"),
      );
      await expectNothingDeleted(app, { "inbound completed updated_record": COUNT });
    });
  }

  it("S52 no access any more: a 404 for everything deletes nothing, and the sweep says why", async () => {
    const app = await givenPairs(await open());
    app.github.faults.api.forbidden = true;
    await expect(app.tandem.sweepNow()).rejects.toThrow();
    await app.settle();

    await expectNothingDeleted(app);
  });

  it("S52 the listing is empty and the reads by id fail: the sweep gives up with nothing deleted", async () => {
    const app = await givenPairs(await open());
    app.github.faults.api.lists = "empty";
    app.github.failNext({ method: "GET", path: /issues\/\d+$/, with: 503 }, 100);
    await expect(app.tandem.sweepNow()).rejects.toThrow();
    await app.settle();

    await expectNothingDeleted(app);
  });

  it("S52 a sweep that failed is told, and looks again within minutes, not a day", async () => {
    const { log, lines } = keptLog();
    const app = await givenPairs(await open(), { log });
    await app.advance(DAY);
    app.github.faults.api.forbidden = true;
    // A worker that stops does not log a failure, and the next one sweeps.
    expect(await sweepDue(app.tandem.services, DAY, AbortSignal.abort())).toBe(0);
    const failed = "a sweep failed; it is repeated in a few minutes";
    expect(lines).not.toContainEqual(expect.objectContaining({ message: failed }));
    expect(await sweepDue(app.tandem.services, DAY)).toBe(1);
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: failed,
        connection: app.connection.id,
        container: app.repo,
      }),
    );
    app.github.faults.api.forbidden = false;
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    expect(await sweepDue(app.tandem.services, DAY)).toBe(0);
    await app.advance(5 * 60_000);
    expect(await sweepDue(app.tandem.services, DAY)).toBe(1);
    await app.settle();
    const gone = (await app.tasks()).filter(({ deleted_at }) => deleted_at !== null);
    expect(gone).toMatchObject([{ title: "Issue 1" }]);
    expect(app.github.issues(app.repo)).toHaveLength(COUNT - 1);
    expect(tally(await app.story())).toEqual({
      ...PAIRED,
      "inbound completed archived_record": 1,
      "inbound completed deleted_record": 1,
    });
    expect(app.writes()).toBe(0);
  });
});

describeOnOneDatabase("a resource opened moments ago", (open) => {
  it("S52 that neither the list nor a read by id shows yet is not taken for deleted", async () => {
    const app = await givenPairs(await open());
    await app.advance(DAY);
    app.github.as("mona").openIssue(app.repo, { title: "Young" });
    await app.settle();
    app.github.faults.api.staleReads = { rate: 1, lagMs: { min: 5_000, max: 5_000 } };
    await sweepDue(app.tandem.services, DAY);
    await app.settle();
    const young = async () => (await app.tasks()).find(({ title }) => title === "Young");
    expect(await young()).toMatchObject({ deleted_at: null });
    expect((await app.events()).filter(({ action }) => action === "delete")).toEqual([]);

    // It is really deleted, and no webhook tells: the sweep looks again within minutes, not a day.
    app.github.faults.api.staleReads.rate = 0;
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, COUNT + 1);
    expect(await sweepDue(app.tandem.services, DAY)).toBe(0);
    await app.advance(5 * 60_000);
    expect(await sweepDue(app.tandem.services, DAY)).toBe(1);
    await app.settle();
    expect((await young())?.deleted_at).not.toBeNull();
    expect(app.github.issues(app.repo)).toHaveLength(COUNT);
    expect((await app.story()).at(-1)).toBe("inbound completed archived_record");
    expect(app.writes()).toBe(0);
  });

  it("S52 is not missed below a record that is gone as well, until a later look tells which it is", async () => {
    const app = await givenPairs(await open());
    await app.advance(DAY);
    app.github.as("mona").openIssue(app.repo, { title: "Young" });
    await app.settle();
    const young = (await app.tasks()).find(({ title }) => title === "Young");
    // No trigger tells that the row is gone, and no read shows the issue yet.
    await app.sql("alter table tasks disable trigger user");
    await app.sql("delete from tasks where id = $1", [young?.id]);
    await app.sql("alter table tasks enable trigger user");
    app.github.faults.api.staleReads = { rate: 1, lagMs: { min: 5_000, max: 5_000 } };
    const early = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(early).toMatchObject({ actions: [], unconfirmed: 1 });

    app.github.faults.api.staleReads.rate = 0;
    await app.advance(60_000);
    const later = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(later).toMatchObject({ unconfirmed: 0 });
    expect(later.actions.map(({ kind }) => kind)).toEqual(["remove_resource"]);
  });
});
