/** Situation 49, as far as a full disk goes: nothing is lost, and work goes on once there is room. */
import { expect, it } from "vitest";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { claimDue, passOnLeases } from "../../../src/runtime/worker/claim-due.ts";
import { keepLease } from "../../../src/runtime/claims/lease.ts";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Answers like a server with a full disk: SQLSTATE 53100, at every write to a table. */
async function fillDisk(app: SampleTandem, table: string): Promise<void> {
  await app.sql(`
    create or replace function disk_full() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`);
  await app.sql(`create trigger disk_full before insert or update on ${table}
    for each statement execute function disk_full()`);
}

async function makeRoom(app: SampleTandem, table: string): Promise<void> {
  await app.sql(`drop trigger disk_full on ${table}`);
}

/** A worker has claimed the create of a new task, for a minute. */
async function claimCreate(app: SampleTandem, title: string) {
  const { services } = app.tandem;
  await app.addTask({ title });
  await drainChanges(services);
  const [claimed] = await claimDue(
    services,
    await DirectorySnapshot.open(services),
    "one",
    60_000,
    1,
  );
  if (claimed === undefined) throw new Error("nothing was claimed");
  return claimed;
}

describeOnOneDatabase("a database in trouble", (open) => {
  it("S49: a full disk: the webhook is answered 5xx, and redelivered it makes its task", async () => {
    const app = await givenSampleTandem(await open());
    await fillDisk(app, "tandem.deliveries");
    app.github.as("mona").openIssue(app.repo, { title: "Not yet" });
    await app.settle();
    const [delivery] = app.github.deliveries;
    expect(delivery?.statusCode).toBeGreaterThanOrEqual(500);
    expect(await app.storedDeliveries()).toEqual([]);
    expect(await app.tasks()).toEqual([]);

    await makeRoom(app, "tandem.deliveries");
    if (delivery !== undefined) app.github.redeliver(delivery.id);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Not yet" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Not yet", state: "open" }]);
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    expect(app.writes()).toBe(0);
  });

  it("S49: a full disk while events are born: the app's write is kept, and sent once there is room", async () => {
    const app = await givenSampleTandem(await open());
    await fillDisk(app, "tandem.events_live");
    const id = await app.addTask({ title: "Kept" });
    await expect(app.tandem.settle()).rejects.toMatchObject({ code: "53100" });
    expect(await app.status()).toMatchObject({ undrained: 1 });
    expect(app.writes()).toBe(0);

    await makeRoom(app, "tandem.events_live");
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id, title: "Kept" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Kept" }]);
    expect((await app.story("direction=outbound"))[0]).toBe("outbound completed created_resource");
    expect(app.writes()).toBe(1);
  });

  it("S49: a full disk while a webhook is translated: it waits as it came, and is no fault of its own", async () => {
    const app = await givenSampleTandem(await open());
    await fillDisk(app, "tandem.events_live");
    app.github.as("mona").openIssue(app.repo, { title: "Not yet" });
    await expect(app.settle()).rejects.toMatchObject({ code: "53100" });
    expect(await app.storedDeliveries()).toMatchObject([{ state: "received", error: null }]);

    await makeRoom(app, "tandem.events_live");
    await app.settle();
    expect(await app.storedDeliveries()).toMatchObject([{ state: "translated", error: null }]);
    expect(await app.task()).toMatchObject({ title: "Not yet" });
    expect(app.writes()).toBe(0);
  });

  it("S49: a full disk at the capture: the app's write is refused, told, and made once there is room", async () => {
    const app = await givenSampleTandem(await open());
    await fillDisk(app, "tandem.changes");
    await expect(app.addTask({ title: "No room" })).rejects.toMatchObject({ code: "53100" });
    await app.settle();
    expect(await app.tasks()).toEqual([]);
    expect(await app.events()).toEqual([]);
    expect(app.writes()).toBe(0);

    await makeRoom(app, "tandem.changes");
    await app.addTask({ title: "There is room" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "There is room" });
    expect(await app.story()).toContain("outbound completed created_resource");
    expect(app.writes()).toBe(1);
  });

  it("S49: a claim let go of while its renewal is under way: the lease runs out, and passes it on", async () => {
    const app = await givenSampleTandem(await open());
    const { services } = app.tandem;
    const claimed = await claimCreate(app, "Passed on");
    const release = keepLease(services, claimed, 60_000);
    const lease = () => app.sql("select lease_expires_at from tandem.events_live");
    const before = await lease();
    // The renewal has begun when the work ends without having been written down.
    await app.advance(15_000);
    release();
    await expect.poll(lease).not.toEqual(before);
    for (let step = 0; step < 4; step += 1) {
      await app.advance(30_000);
      // A renewal that is still due gets its turn.
      for (let turn = 0; turn < 20; turn += 1) await lease();
    }
    expect(await passOnLeases(services)).toBe(1);
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Passed on" }]);
    expect(app.writes()).toBe(1);
  });

  it("S49: a renewal that fails is tried again: work that takes long stays with its worker", async () => {
    const app = await givenSampleTandem(await open());
    const { services } = app.tandem;
    const claimed = await claimCreate(app, "Takes long");
    let renewals = 0;
    const failingOnce: typeof services = {
      ...services,
      store: {
        ...services.store,
        transaction: (work) => {
          renewals += 1;
          return renewals === 1
            ? Promise.reject(new Error("the database is away"))
            : services.store.transaction(work);
        },
      },
    };
    const release = keepLease(failingOnce, claimed, 60_000);
    const lease = () => app.sql("select lease_expires_at from tandem.events_live");
    const before = await lease();
    await app.advance(15_000);
    expect(await lease()).toEqual(before);
    await app.advance(15_000);
    await expect.poll(lease).not.toEqual(before);
    expect(await passOnLeases(services)).toBe(0);
    release();
  });
});
