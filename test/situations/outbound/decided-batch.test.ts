/** Edits of paired records are begun where they are claimed: many at once, each as if it were alone. */
import { expect, it } from "vitest";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { claimDue } from "../../../src/runtime/worker/claim-due.ts";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { processClaimed } from "../../../src/runtime/worker/process-claimed.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { refusesTwo } from "../../harness/refuse-together.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const NEVER = new AbortController().signal;

/** Tasks with an issue each. */
async function givenTasks(
  database: TestDatabase,
  count: number,
  options: Parameters<typeof givenSampleTandem>[2] = {},
) {
  const app = await givenSampleTandem(database, undefined, options);
  const ids: string[] = [];
  for (let task = 1; task <= count; task += 1) {
    ids.push(await app.addTask({ title: `Task ${String(task)}` }));
  }
  await app.settle();
  app.github.clearRequests();
  return { app, ids };
}

/** Claims all that is due, as a worker does, and works on it one after another. */
async function claimAll({ tandem: { services } }: SampleTandem) {
  await drainChanges(services);
  const book = await DirectorySnapshot.open(services);
  const claims = await claimDue(services, book, "ada", 60_000, 16);
  return {
    claims,
    work: async () => {
      for (const claimed of claims) await processClaimed(services, claimed, book, NEVER);
    },
  };
}

const titles = (app: SampleTandem) => app.github.issues(app.repo).map(({ title }) => title);

describeOnOneDatabase("edits that are claimed at once", (open) => {
  it("are noted as sent by the claim, and leave as they were then", async () => {
    const { app, ids } = await givenTasks(await open(), 3);
    for (const id of ids) await app.editTask(id, { title: `Edited ${id}` });
    const { claims, work } = await claimAll(app);
    expect(claims.map(({ begun }) => begun?.kind)).toEqual(["request", "request", "request"]);
    await work();
    expect(titles(app)).toEqual(ids.map((id) => `Edited ${id}`));
    expect(app.writes()).toBe(3);
    expect(app.github.calls()).toBe(3);
  });

  it("end in the claim where there is nothing to send", async () => {
    const { app, ids } = await givenTasks(await open(), 2);
    for (const id of ids) {
      await app.editTask(id, { title: "For a moment" });
      await app.editTask(id, { title: `Task ${id}` });
    }
    const { claims } = await claimAll(app);
    expect(claims.map(({ begun }) => begun)).toEqual([{ kind: "settled" }, { kind: "settled" }]);
    expect((await app.story("direction=outbound")).slice(-2)).toEqual([
      "outbound completed nothing_to_send",
      "outbound completed nothing_to_send",
    ]);
    expect(await app.status()).toMatchObject({ live: { processing: 0, queued: 0 } });
  });

  it("wait for the account where one of them was refused by a limit, and are no unknown outcome", async () => {
    const { app, ids } = await givenTasks(await open(), 3);
    for (const id of ids) await app.editTask(id, { title: `Edited ${id}` });
    app.github.faults.api.secondaryLimit = { retryAfterSeconds: 30, status: 429 };
    const { work } = await claimAll(app);
    await work();
    expect(app.github.calls()).toBe(1);
    expect(
      (await app.events("state=queued")).map(({ reason, attempts }) => [reason, attempts]),
    ).toEqual([
      ["account_paused", 0],
      ["account_paused", 0],
      ["account_paused", 0],
    ]);
    for (const id of ids) {
      const [pairing] = await app.pairings(id);
      expect(pairing?.standing).toMatch(/^A change of the record is queued\. .* Due at 2026-/);
    }
    app.github.faults.api.secondaryLimit = null;
    await app.advance(31_000);
    app.github.clearRequests();
    await app.settle();
    expect(titles(app)).toEqual(ids.map((id) => `Edited ${id}`));
    // Each is read before it leaves, as ever, and no more: nothing had left.
    expect(app.github.calls({ writes: true })).toBe(3);
    expect(app.github.calls({ method: "GET", path: /issues\/\d+$/ })).toBe(3);
  });

  it("are begun alone where an earlier one has an unknown outcome: the resource is read first", async () => {
    const { app, ids } = await givenTasks(await open(), 2);
    const [first = "", second = ""] = ids;
    await app.editTask(first, { title: "Lost" });
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ method: "PATCH", with: "lost-answer" });
    await app.settle();
    app.github.faults.webhooks.drop = 0;
    await app.editTask(first, { title: "After it" });
    await app.editTask(second, { title: "Beside it" });
    const { claims, work } = await claimAll(app);
    expect(new Map(claims.map(({ begun, lane }) => [lane, begun?.kind]))).toEqual(
      new Map(claims.map(({ lane }, index) => [lane, index === 0 ? undefined : "request"])),
    );
    app.github.clearRequests();
    await work();
    expect(titles(app)).toEqual(["After it", "Beside it"]);
    expect(app.github.requests.map(({ method }) => method)).toEqual(["GET", "PATCH", "PATCH"]);
  });

  it("S48 stay where their worker slept past its lease: whoever took over has sent them", async () => {
    const { app, ids } = await givenTasks(await open(), 2);
    for (const id of ids) await app.editTask(id, { title: `Edited ${id}` });
    const late = await claimAll(app);
    await app.advance(60_000);
    await app.settle();
    expect(app.writes()).toBe(2);
    const calls = app.github.calls();
    await late.work();
    expect(app.github.calls()).toBe(calls);
    expect(titles(app)).toEqual(ids.map((id) => `Edited ${id}`));
  });

  it("S48 leave, though their lease has run out, where nobody took over", async () => {
    const { app, ids } = await givenTasks(await open(), 2);
    for (const id of ids) await app.editTask(id, { title: `Edited ${id}` });
    const slow = await claimAll(app);
    await app.advance(60_000);
    await slow.work();
    expect(titles(app)).toEqual(ids.map((id) => `Edited ${id}`));
    expect(app.github.calls()).toBe(2);
    expect((await app.story("direction=outbound")).slice(-2)).toEqual([
      "outbound completed updated_resource",
      "outbound completed updated_resource",
    ]);
  });

  it("go on alone where the table has changed since it was looked at", async () => {
    const database = await open();
    const { app, ids } = await givenTasks(database, 1);
    const [id = ""] = ids;
    await app.editTask(id, { title: "Edited" });
    await drainChanges(app.tandem.services);
    await database.sql("alter table tasks rename column markdown to body");
    const { claims, work } = await claimAll(app);
    expect(claims.map(({ begun }) => begun)).toEqual([null]);
    await work();
    expect(titles(app)).toEqual(["Edited"]);
  });

  it("are claimed all the same, and begun alone, where the database notes none of them together", async () => {
    const { log, lines } = keptLog();
    const { app, ids } = await givenTasks(await open(), 2, { log });
    await app.sql(refusesTwo("integration_records", "attempt is not null"));
    for (const id of ids) await app.editTask(id, { title: `Edited ${id}` });
    const { claims, work } = await claimAll(app);
    expect(claims.map(({ begun }) => begun)).toEqual([null, null]);
    expect(lines).toEqual([
      {
        message: "a batch of writes failed; each is processed singly",
        error: expect.any(String) as string,
      },
    ]);
    await work();
    expect(titles(app)).toEqual(ids.map((id) => `Edited ${id}`));
    expect(app.writes()).toBe(2);
  });
});
