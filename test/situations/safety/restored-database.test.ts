/** A database restored from a backup, or copied to a staging host: it must not post. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { createInstanceGuard } from "../../../src/runtime/safety/instance.ts";
import { beatsInFile, beatsInProcess } from "../../../src/runtime/safety/heartbeat-file.ts";
import { type Log, silentLog } from "../../../src/runtime/services/log.ts";
import { withPoison } from "../../harness/sample-hooks.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { rememberDatabase } from "../../harness/set-back.ts";

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
  // GitHub alone knows the edits after the backup.
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

describeOnOneDatabase("a database restored from a backup", (open) => {
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
      { record_id: created, cause: "restored", why: expect.stringContaining("restored") },
      { record_id: String(Number(created) + 1), why: expect.stringContaining("restored") },
    ]);
    // A connection is enabled for other reasons, even without a person: that decides about no create.
    expect(await post(app, `connections/${app.connection.id}/enable`)).toBe(200);
    await app.settleWithin(5);
    expect((await app.status()).disabled_pairings.count).toBe(2);
    expect(app.writes()).toBe(0);
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

  it("S64 leaves to a person what cannot be looked for, and says why in the log", async () => {
    const said: string[] = [];
    const warn: Log["warn"] = (details, message) =>
      said.push(`${JSON.stringify(details)} ${message}`);
    const log: Log = { ...silentLog, warn };
    const app = await givenSampleTandem(await open(), withPoison, { log });
    await app.settle();
    const id = await app.addTask({ title: "Poisoned" });
    await drainChanges(app.tandem.services);
    await app.sql("update tandem.instance set set_back = 'a failover lost work'");
    await app.advance(120_000);
    await app.settle();
    expect(await post(app, "instance/approve")).toBe(200);
    await app.settleWithin(5);

    expect((await app.status()).disabled_pairings.first).toMatchObject([
      { record_id: id, cause: "restored" },
    ]);
    const told = said.filter((line) => line.includes("cannot be searched for"));
    expect(told).toEqual([expect.stringContaining(`"record":"tasks:${id}"`)]);
    expect(app.writes()).toBe(0);
  });

  it("takes nobody's copy for what a forgotten create made, and creates what no look finds", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Said twice" });
    await app.settle();
    await app.addTask({ title: "Said twice" });
    await drainChanges(app.tandem.services);
    const body = app.github.issue(app.repo, 1)?.body ?? "";
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "Said twice", body });
    app.github.faults.webhooks.drop = 0;
    await app.sql("update tandem.instance set set_back = 'a failover lost work'");
    await app.advance(120_000);
    await app.settle();
    expect(await post(app, "instance/approve")).toBe(200);
    await app.settleWithin(5);
    await app.tandem.syncNow();
    await app.settleWithin(5);

    expect(app.github.issues(app.repo)).toHaveLength(3);
    expect(await app.tasks()).toHaveLength(3);
    expect((await app.status()).disabled_pairings.count).toBe(0);
  });
});

const HOUR = 3_600_000;

/** Another process at work on the same database. */
function anotherHost({ tandem, clock }: SampleTandem, beats = beatsInProcess()) {
  const given = { clock, log: silentLog, beats };
  return createInstanceGuard(tandem.services.store, null, given);
}

/** The file that the processes of one host share. */
function beatFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "beats-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return join(folder, "beat.json");
}

/** An hour's work after the moment that the database is set back to, where it is. */
async function givenSetBack(database: TestDatabase) {
  const app = await givenSampleTandem(database);
  app.github.as("mona").openIssue(app.repo, { title: "Known", body: "Kept" });
  await app.settle();
  const { id } = await app.task();
  await app.editTask(id, { title: "Edited before" });
  await drainChanges(app.tandem.services);
  const setBack = await rememberDatabase(app);
  await app.settle();
  app.github.as("mona").editIssue(app.repo, 1, { title: "Edited after" });
  await app.addTask({ title: "Created after" });
  await app.settle();
  await app.advance(HOUR);
  await app.settle();
  expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual([
    "Edited after",
    "Created after",
  ]);
  app.github.clearRequests();
  return { app, setBack };
}

describeOnOneDatabase("a database set back in place", (open) => {
  it("posts nothing and says so, also to those who have not seen it before", async () => {
    const { app, setBack } = await givenSetBack(await open());
    const fresh = anotherHost(app);
    await setBack();
    expect((await app.status()).foreign_instance).toBeNull();
    await app.advance(60_000);
    await app.settle();

    expect(app.github.calls({})).toBe(0);
    expect((await app.status()).foreign_instance).toContain("set back");
    expect(await post(app, "sync")).toBe(409);
    expect(await fresh.checkIdentity()).toContain("set back");
  });

  it("approved, records take what the resources say by now, nothing old is sent, nothing doubled", async () => {
    const { app, setBack } = await givenSetBack(await open());
    await setBack();
    await app.advance(60_000);
    await app.settle();
    expect(await post(app, "instance/approve")).toBe(200);
    await app.tandem.syncNow();
    await app.settleWithin(5);

    expect((await app.tasks()).map(({ title }) => title)).toEqual([
      "Edited after",
      "Created after",
    ]);
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual([
      "Edited after",
      "Created after",
    ]);
    expect(app.writes()).toBe(0);
    expect((await app.status()).foreign_instance).toBeNull();
  });

  it("is known to be approved by every host that missed its beat", async () => {
    const { app, setBack } = await givenSetBack(await open());
    const another = anotherHost(app);
    expect(await another.checkIdentity()).toBeNull();
    await setBack();
    await app.advance(60_000);
    await app.settle();
    expect(await post(app, "instance/approve")).toBe(200);
    expect(await another.checkIdentity()).toBeNull();
    await app.advance(60_000);
    expect(await another.checkIdentity()).toBeNull();
    expect(await app.tandem.services.instance.checkIdentity()).toBeNull();
  });

  it("is told by a host that comes after one that has not seen it before", async () => {
    const { app, setBack } = await givenSetBack(await open());
    const fresh = anotherHost(app);
    await setBack();
    expect(await fresh.checkIdentity()).toBeNull();
    await app.advance(60_000);
    expect(await app.tandem.services.instance.checkIdentity()).toContain("set back");
    await app.advance(60_000);
    expect(await fresh.checkIdentity()).toContain("set back");
  });

  it("is noticed by two processes of one host, whichever looks first", async () => {
    const app = await givenSampleTandem(await open());
    const file = beatFile();
    const first = anotherHost(app, beatsInFile(file, silentLog));
    const second = anotherHost(app, beatsInFile(file, silentLog));
    expect(await first.checkIdentity()).toBeNull();
    await app.advance(40_000);
    const setBack = await rememberDatabase(app);
    await app.advance(5_000);
    expect(await second.checkIdentity()).toBeNull();
    await setBack();
    await app.advance(30_000);
    expect(await first.checkIdentity()).toContain("set back");
    expect(await app.sql("select host from tandem.beats")).toHaveLength(1);
  });

  it("is none that a process of before, at another database, has worked on", async () => {
    const file = beatFile();
    const apps = [await givenSampleTandem(await open()), await givenSampleTandem(await open())];
    const verdicts = [];
    for (const app of apps) {
      // As a provider has it that does not let everybody ask.
      await app.sql("alter function pg_control_system() rename to pg_control_denied");
      verdicts.push(await anotherHost(app).checkIdentity());
      await app.advance(60_000);
    }
    for (const app of apps) {
      verdicts.push(await anotherHost(app, beatsInFile(file, silentLog)).checkIdentity());
      await app.sql("alter function pg_control_denied() rename to pg_control_system");
    }
    expect(verdicts).toEqual([null, null, null, null]);
  });

  it("is no other for a failover that lost nothing, nor for beats that come from several hosts", async () => {
    const app = await givenSampleTandem(await open());
    const hosts = [app.tandem.services.instance, anotherHost(app), anotherHost(app)];
    for (let minute = 0; minute < 3; minute += 1) {
      for (const host of hosts) expect(await host.checkIdentity()).toBeNull();
      await app.advance(60_000);
    }
    expect(await app.sql("select host from tandem.beats")).toHaveLength(3);
  });
});
