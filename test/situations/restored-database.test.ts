/** A database restored from a backup, or copied to a staging host: it must not post. */
import { expect, it } from "vitest";
import { drainChanges } from "../../src/runtime/drain.ts";
import { describeOnEachDatabase, type TestDatabase } from "../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

async function post(app: SampleTandem, path: string): Promise<number> {
  const headers = { "content-type": "application/json" };
  const request = new Request(`http://localhost/api/${path}`, { method: "POST", headers });
  return (await app.tandem.fetch(request)).status;
}

/** Yesterday's database on another server: an edit and a new task waited in it. */
async function givenRestored(database: TestDatabase) {
  const app = await givenSampleTandem(database);
  app.github.as("mona").openIssue(app.repo, { title: "Known", body: "Kept" });
  await app.settle();
  const { id } = await app.task();
  await app.editTask(id, { title: "Edited before the backup" });
  const created = await app.addTask({ title: "Waits to be created" });
  await drainChanges(app.tandem.services);
  // Captured, and not looked at when the backup was taken.
  await app.addTask({ title: "Waits to be looked at" });
  // What was done after the backup is known to GitHub alone.
  app.github.faults.webhooks.drop = 1;
  await app.advance(3_600_000);
  app.github.as("mona").editIssue(app.repo, 1, { title: "Edited after the backup" });
  app.github.as("mona").openIssue(app.repo, { title: "Opened after the backup" });
  app.github.faults.webhooks.drop = 0;
  await app.sql("update tandem.instance set place = 'another/server'");
  await app.advance(120_000);
  app.github.clearRequests();
  return { app, id, created };
}

describeOnEachDatabase("a database restored from a backup", (open) => {
  it("posts nothing and says so; webhooks are stored meanwhile", async () => {
    const { app } = await givenRestored(await open());
    app.github.as("mona").editIssue(app.repo, 2, { body: "Heard" });
    await app.settle();
    await app.advance(3_600_000);
    await app.settle();

    expect(app.github.calls({})).toBe(0);
    expect((await app.status()).foreign_instance).toContain("restored from a backup");
    expect((await app.storedDeliveries()).at(-1)).toMatchObject({ state: "translated" });
    expect(await post(app, "sync")).toBe(409);
  });

  it("approved, it reads everything before it writes: nothing old goes over newer edits, and nothing is doubled", async () => {
    const { app, id, created } = await givenRestored(await open());
    expect(await post(app, "instance/approve")).toBe(200);
    expect((await app.status()).foreign_instance).toBeNull();
    await app.tandem.syncNow();
    await app.settleWithin(5);

    const titles = (await app.tasks()).map(({ title }) => title);
    expect(titles).toEqual([
      "Edited after the backup",
      "Waits to be created",
      "Waits to be looked at",
      "Opened after the backup",
    ]);
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual([
      "Edited after the backup",
      "Opened after the backup",
    ]);
    expect(app.writes()).toBe(0);
    const conflicts = (await app.events(`record=tasks:${id}`)).flatMap((event) => event.conflicts);
    expect(conflicts).toMatchObject([
      { field: "title", winner: "resource", lost: "Edited before the backup" },
    ]);
    // Whether they were created after the backup nobody here can know, so a person says.
    expect((await app.status()).disabled_pairings.first).toMatchObject([
      { record_id: created, why: expect.stringContaining("restored") },
      { record_id: String(Number(created) + 1), why: expect.stringContaining("restored") },
    ]);
    expect(await post(app, `records/tasks/${created}/enable`)).toBe(200);
    await app.settleWithin(5);
    expect(app.github.issues(app.repo)).toHaveLength(3);
    expect(app.writes()).toBe(1);
  });

  it("looks at a resource before it writes there, though nothing was polled yet", async () => {
    const { app, id } = await givenRestored(await open());
    expect(await post(app, "instance/approve")).toBe(200);
    await app.settleWithin(5);

    expect(app.github.issue(app.repo, 1)?.title).toBe("Edited after the backup");
    expect((await app.tasks()).find((task) => task.id === id)?.title).toBe(
      "Edited after the backup",
    );
    expect(app.writes()).toBe(0);
  });
});
