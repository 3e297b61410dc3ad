/** A failover to a replica that lacks committed work (S64), and one to a replica that has all. */
import { afterEach, describe, expect, it } from "vitest";
import { sampleConfig } from "../../../src/demo/sample-config.ts";
import { passOnLeases } from "../../../src/runtime/worker/claim-due.ts";
import { createTandem, type Tandem } from "../../../src/server/tandem.ts";
import { TEST_ENVIRONMENT } from "../../../src/testing/test-tandem.ts";
import {
  databaseKinds,
  describeOnOneDatabase,
  type TestDatabase,
} from "../../harness/databases.ts";
import {
  openReplicatedDatabase,
  type ReplicatedDatabase,
} from "../../harness/replicated-database.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { rememberDatabase } from "../../harness/set-back.ts";

const opened: ReplicatedDatabase[] = [];
const leaving: SampleTandem[] = [];
const others: Tandem[] = [];
afterEach(async () => {
  for (const other of others.splice(0)) await other.stop();
  for (const app of leaving.splice(0)) await app.close();
  for (const postgres of opened.splice(0)) await postgres.close();
});

async function givenReplicated(how: "synchronous" | "asynchronous") {
  const postgres = await openReplicatedDatabase();
  opened.push(postgres);
  if (how === "synchronous") await postgres.replicateSynchronously();
  const app = await givenSampleTandem(postgres.database);
  leaving.push(app);
  return { app, postgres };
}

/** Another process at work on the same database. */
async function anotherProcess({ clock, github }: SampleTandem, { url }: ReplicatedDatabase) {
  const tandem = await createTandem(sampleConfig(url), {
    clock,
    fetch: github.fetch,
    environment: TEST_ENVIRONMENT,
  });
  others.push(tandem);
  return tandem;
}

/** How a database of each kind loses what was committed since. */
async function givenLossy(open: () => Promise<TestDatabase>, kind: TestDatabase["kind"]) {
  if (kind === "postgres") {
    const { app, postgres } = await givenReplicated("asynchronous");
    const lastKept = async () => {
      await postgres.cutOff();
      return () => postgres.failOver();
    };
    return { app, lastKept };
  }
  const app = await givenSampleTandem(await open());
  // It is a part of the process, and has no log to be compared: the beat tells, within a minute.
  const lastKept = async () => {
    const setBack = await rememberDatabase(app);
    await app.advance(60_000);
    await app.settle();
    return async () => {
      await setBack();
      await app.advance(60_000);
    };
  };
  return { app, lastKept };
}

async function approve({ tandem }: SampleTandem): Promise<number> {
  const request = new Request("http://localhost/api/instance/approve", {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  return (await tandem.fetch(request)).status;
}

async function health({ tandem }: SampleTandem): Promise<unknown> {
  return (await tandem.fetch(new Request("http://localhost/healthz"))).json();
}

/** Works on, as a loop does: a round that met trouble is followed by the next. */
async function workOn(app: SampleTandem): Promise<void> {
  await app.settle().catch(() => undefined);
  await app.settle();
}

describeOnOneDatabase("a database that lost committed work", (open, kind) => {
  it("S64 is noticed by the next transaction, told, and healed: nothing is created twice", async () => {
    const { app, lastKept } = await givenLossy(open, kind);
    app.github.as("mona").openIssue(app.repo, { title: "Known" });
    await app.settle();
    const { id } = await app.task();
    await app.addTask({ title: "Created there since" });
    await app.addComment(id, "Said there since");
    const lose = await lastKept();
    await app.settle();
    await app.editTask(id, { title: "Edited since" });
    await app.addTask({ title: "Born since" });
    await app.settle();
    expect(app.github.issues(app.repo)).toHaveLength(3);
    app.github.clearRequests();
    await lose();
    await workOn(app);

    expect(app.writes()).toBe(0);
    expect((await app.status()).foreign_instance).toContain("set back");
    expect(await health(app)).toMatchObject({ ok: false, code: "foreign_instance" });

    expect(await approve(app)).toBe(200);
    await app.tandem.syncNow();
    await app.settleWithin(10);
    const titles = ["Edited since", "Created there since", "Born since"].sort();
    expect(
      app.github
        .issues(app.repo)
        .map(({ title }) => title)
        .sort(),
    ).toEqual(titles);
    expect((await app.tasks()).map(({ title }) => title).sort()).toEqual(titles);
    expect(app.github.comments(app.repo, 1)).toHaveLength(1);
    expect(await app.comments()).toHaveLength(1);
    expect((await app.status()).foreign_instance).toBeNull();
    expect(await health(app)).toEqual({ ok: true });
  });
});

describe.runIf(databaseKinds.includes("postgres"))("a failover", () => {
  it.each(["synchronous", "asynchronous"] as const)(
    "with %s replicas that lost nothing is no alarm, nor is a restart after it",
    async (how) => {
      const { app, postgres } = await givenReplicated(how);
      app.github.as("mona").openIssue(app.repo, { title: "Known" });
      await app.addTask({ title: "Before" });
      await app.settle();
      await postgres.failOver();
      await app.addTask({ title: "After" });
      // Other processes that may have lost work have time to say so.
      await workOn(app);
      expect(app.github.issues(app.repo)).toHaveLength(how === "synchronous" ? 3 : 2);
      await app.advance(10_000);
      await workOn(app);
      expect(app.github.issues(app.repo)).toHaveLength(3);
      await postgres.primary().halt("fast");
      await postgres.primary().resume();
      await app.addTask({ title: "After a restart" });
      await workOn(app);
      expect(app.github.issues(app.repo)).toHaveLength(4);
      expect((await app.status()).foreign_instance).toBeNull();
      expect(await health(app)).toEqual({ ok: true });
    },
  );

  it("that lost what one process committed is known to another that has seen nothing of it", async () => {
    const { app, postgres } = await givenReplicated("asynchronous");
    const idle = await anotherProcess(app, postgres);
    // As a worker's loop does, which looks for leases that ran out.
    await passOnLeases(idle.services);
    await app.addTask({ title: "Created there since" });
    await postgres.cutOff();
    await app.settle();
    app.github.clearRequests();
    await postgres.failOver();
    // It may rely on what was asked before the failover.
    const nothing = () => Promise.resolve();
    await expect(idle.services.store.transaction(nothing)).rejects.toThrow("looked at before");
    await idle.settle();
    expect(app.writes()).toBe(0);
    await workOn(app);
    await app.advance(10_000);
    await idle.settle();
    expect(app.writes()).toBe(0);
    expect(await idle.services.instance.checkIdentity()).toContain("set back");
  });
});
