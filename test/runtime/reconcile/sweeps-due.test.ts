/** Sweeps of both kinds: which connections are due, what is saved of a sweep, and what the log says. */
import { expect, it } from "vitest";
import type { Connection } from "../../../src/model/connection.ts";
import { addMillis } from "../../../src/model/instant.ts";
import { localSweepDue } from "../../../src/runtime/reconcile/local-sweep.ts";
import { sweepDue } from "../../../src/runtime/reconcile/sweep.ts";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { describeOnEachDatabase, describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog, toldOf } from "../../harness/kept-log.ts";
import { asLimitedRole } from "../../harness/limited-role.ts";
import { APP, connect, SITE } from "../../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { givenTwoAccounts, SHOP } from "../../harness/two-accounts.ts";

const DAY = 24 * 3_600_000;
const MINUTE = 60_000;

async function connectionOf(app: SampleTandem, container: string = SITE): Promise<Connection> {
  const { contacts } = await DirectorySnapshot.open(app.tandem.services);
  const found = contacts.find(({ connection }) => connection.containerName === container);
  if (found === undefined) throw new Error(`${container} is not connected`);
  return found.connection;
}

const update = (app: SampleTandem, { id }: Connection, changes: Partial<Connection>) =>
  app.tandem.services.store.directory.updateConnection(id, changes);

/** Writes where no trigger fires, as replication and a restore do. */
async function unseen(app: SampleTandem, sql: string): Promise<void> {
  await app.sql(`begin; set local session_replication_role = replica; ${sql}; commit`);
}

describeOnOneDatabase("a local sweep that is due", (open) => {
  it("is a day after the last one or after the first poll, and none is before that", async () => {
    const app = await givenSampleTandem(await open());
    const due = () => localSweepDue(app.tandem.services, DAY);
    await app.advance(2 * DAY);
    expect(await due()).toBe(0);

    await app.tandem.syncNow();
    await app.advance(DAY - 1);
    expect(await due()).toBe(0);
    await app.advance(1);
    expect(await due()).toBe(1);
    expect((await connectionOf(app)).localSweptAt).toBe(app.clock.now());

    await app.advance(DAY - 1);
    await app.tandem.syncNow();
    expect(await due()).toBe(0);
    await app.advance(1);
    expect(await due()).toBe(1);
  });

  it("is that of each connection whose table was emptied, once", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("insert into projects (name) values ('App')");
    await connect(app, APP, "2");
    const due = () => localSweepDue(app.tandem.services, DAY);
    expect(await due()).toBe(0);
    await app.sql("create table others (id int); truncate others");
    expect(await due()).toBe(0);
    await app.sql("truncate comments");
    expect(await due()).toBe(2);
    expect(await due()).toBe(0);
  });

  it("does not keep the next one from its turn if it fails, and is due again", async () => {
    const { log, lines } = keptLog();
    const app = await givenTwoAccounts(await open(), {
      log,
      wrapStore: (store) => ({
        ...store,
        transaction: (work, beginning) =>
          store.transaction(
            (tx, seen) =>
              work(
                {
                  ...tx,
                  countPairedLanes: (id) =>
                    failing === id ? Promise.reject(new Error("away")) : tx.countPairedLanes(id),
                },
                seen,
              ),
            beginning,
          ),
      }),
    });
    let failing: string | null = (await connectionOf(app)).id;
    await app.tandem.syncNow();
    await app.advance(DAY);
    expect(await localSweepDue(app.tandem.services, DAY)).toBe(2);
    const { id } = await connectionOf(app);
    expect(lines).toEqual([
      {
        message: "a local sweep failed; it is repeated with the next cycle",
        ...{ connection: id, container: SITE, error: "away" },
      },
    ]);
    expect((await connectionOf(app)).localSweptAt).toBe(addMillis(app.clock.now(), -DAY));
    expect((await connectionOf(app, SHOP)).localSweptAt).toBe(app.clock.now());
    failing = null;
    expect(await localSweepDue(app.tandem.services, DAY)).toBe(1);
    expect(await localSweepDue(app.tandem.services, DAY)).toBe(0);

    await app.advance(DAY);
    const swept = (await connectionOf(app)).localSweptAt;
    expect(await localSweepDue(app.tandem.services, DAY, AbortSignal.abort())).toBe(0);
    expect((await connectionOf(app)).localSweptAt).toBe(swept);
  });
});

describeOnOneDatabase("the finding of a local sweep", (open) => {
  it("is weighed as one: what was deleted, what was moved, and what differs", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), undefined, { log });
    await app.sql("insert into projects (name) values ('App')");
    await connect(app, APP, "2");
    for (let number = 1; number <= 14; number += 1) await app.addTask({ title: `T${number}` });
    await app.settle();
    app.github.clearRequests();
    await unseen(app, "delete from tasks where id in (1, 2)");
    await unseen(app, "update tasks set project_id = 2 where id in (3, 4, 5)");
    await unseen(app, "update tasks set title = 'Loaded' where id between 6 and 12");
    const [swept] = await app.tandem.sweepRecordsNow(app.connection.id);
    expect(swept).toEqual({
      ...{ compared: 14, differing: 7, gone: 2, moved: 3, untracked: 0, hidden: [], held: true },
    });
    const { id } = await connectionOf(app);
    const outlook = { deletes: 5, overwrites: 7, records: 14 };
    expect(toldOf(lines, "a run would do too much and waits for approval")).toEqual([
      { connection: id, container: SITE, kind: "local_sweep", ...outlook },
    ]);
    const [run] = (await app.status()).held_runs;
    expect(run).toMatchObject({ kind: "local_sweep", state: "held", ...outlook });
    expect(run?.sample.map(({ what, record_id }) => `${what} ${record_id ?? ""}`)).toEqual([
      ...["delete 1", "delete 2", "delete 3", "delete 4", "delete 5"],
      // Keys are text, and sorted as text.
      ...["overwrite 10", "overwrite 11", "overwrite 12", "overwrite 6", "overwrite 7"],
    ]);
    expect(run?.sample[0]).toMatchObject({
      ...{ record_type: "tasks", resource_type: "issue", integration_external_id: "1" },
    });
    expect((await connectionOf(app)).localSweptAt).toBe(app.clock.now());
    await app.settle();
    expect(app.writes()).toBe(0);

    await app.tandem.approve(run?.id ?? "");
    expect(await localSweepDue(app.tandem.services, DAY)).toBe(1);
    await app.settle();
    const issues = (container: string) =>
      app.github
        .issues(container)
        .map(({ title, state }) => `${title} ${state}`)
        .sort();
    expect(issues(SITE)).toEqual([
      ...Array(7).fill("Loaded open"),
      ...["T1 closed", "T13 open", "T14 open", "T2 closed", "T3 closed", "T4 closed", "T5 closed"],
    ]);
    expect(issues(APP)).toEqual(["T3 open", "T4 open", "T5 open"]);
    expect(await app.tandem.sweepRecordsNow()).toMatchObject([
      ...[SITE, APP].map(() => ({ differing: 0, gone: 0, moved: 0, held: false })),
    ]);
  });
});

describeOnEachDatabase("a local sweep of rows that a policy hides", (open) => {
  it("takes none of them for deleted, and says how many it did not find", async () => {
    const { log, lines } = keptLog();
    const limited = await asLimitedRole(await open());
    const app = await givenSampleTandem(limited, undefined, { log });
    for (const title of ["One", "Two", "Three"]) await app.addTask({ title });
    await app.settle();
    await app.sql(`
      alter table tasks enable row level security;
      alter table tasks force row level security;
      create policy guarded on tasks to ${limited.role} using (id > 2)`);
    app.github.clearRequests();
    expect(await app.tandem.sweepRecordsNow()).toMatchObject([
      { compared: 3, differing: 0, gone: 0, hidden: ["tasks"], held: false },
    ]);
    expect(lines).toEqual([
      {
        message:
          "rows were not found, and row security may hide them: none counts as deleted; grant Tandem's role BYPASSRLS",
        ...{ connection: app.connection.id, table: "tasks", rows: 2 },
      },
    ]);
    await app.settle();
    expect(app.writes()).toBe(0);
    expect(app.github.issues(app.repo).map(({ state }) => state)).toEqual(Array(3).fill("open"));
  });
});

describeOnOneDatabase("an id sweep that is due", (open) => {
  it("is a day after the last one or after the first poll, and none is before that", async () => {
    const app = await givenSampleTandem(await open());
    const due = () => sweepDue(app.tandem.services, DAY);
    await app.advance(2 * DAY);
    expect(await due()).toBe(0);
    await app.tandem.syncNow();
    await app.advance(DAY - 1);
    expect(await due()).toBe(0);
    await app.advance(1);
    expect(await due()).toBe(1);
    expect((await connectionOf(app)).sweptAt).toBe(app.clock.now());
    await app.advance(DAY - 1);
    await app.tandem.syncNow();
    expect(await due()).toBe(0);
    await app.advance(1);
    expect(await due()).toBe(1);
  });

  it("is none of a connection that takes nothing in, or whose account is paused", async () => {
    const app = await givenSampleTandem(await open());
    await app.tandem.syncNow();
    await app.advance(DAY);
    const connection = await connectionOf(app);
    const { directory } = app.tandem.services.store;
    const [account] = await directory.accounts();
    await update(app, connection, { inbound: false });
    expect(await sweepDue(app.tandem.services, DAY)).toBe(0);
    await update(app, connection, { inbound: true });
    if (account === undefined) throw new Error("there is no account");
    await directory.updateAccount(account.id, { state: "paused" });
    expect(await sweepDue(app.tandem.services, DAY)).toBe(0);
    await directory.updateAccount(account.id, { state: "active" });
    expect(await sweepDue(app.tandem.services, DAY)).toBe(1);
  });

  it("is repeated in five minutes if it fails, and the next one has its turn", async () => {
    const { log, lines } = keptLog();
    const app = await givenTwoAccounts(await open(), { log });
    await app.tandem.syncNow();
    await app.advance(DAY);
    app.github.failNext({ method: "GET", path: /issues$/, with: 503 });
    expect(await sweepDue(app.tandem.services, DAY)).toBe(2);
    const site = await connectionOf(app);
    expect(lines).toEqual([
      {
        message: "a sweep failed; it is repeated in a few minutes",
        ...{ connection: site.id, container: SITE },
        error: expect.stringContaining("503") as string,
        code: expect.any(String) as string,
        hint: expect.any(String) as string,
      },
    ]);
    expect(site.sweptAt).toBe(addMillis(app.clock.now(), 5 * MINUTE - DAY));
    expect((await connectionOf(app, SHOP)).sweptAt).toBe(app.clock.now());
    await app.advance(5 * MINUTE - 1);
    expect(await sweepDue(app.tandem.services, DAY)).toBe(0);
    await app.advance(1);
    expect(await sweepDue(app.tandem.services, DAY)).toBe(1);

    // Sweeps that are due more often are repeated no later than they are due.
    await app.advance(DAY);
    app.github.failNext({ method: "GET", path: /issues$/, with: 503 });
    expect(await sweepDue(app.tandem.services, MINUTE)).toBe(2);
    expect((await connectionOf(app)).sweptAt).toBe(app.clock.now());
  });

  it("is repeated in five minutes while it is not sure of a resource, and counts what it did", async () => {
    const app = await givenSampleTandem(await open());
    for (const title of ["One", "Two"]) app.github.as("mona").openIssue(app.repo, { title });
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();
    await app.advance(DAY);
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.addTask({ title: "Three" });
    await app.settle();
    // The newest issue is not shown yet, as a list that lags behind may do.
    for (const _ of [1, 2]) {
      app.github.failNext({ method: "GET", path: /issues\/3$/, with: 404 });
    }
    app.github.faults.api.lists = "empty";
    const before = app.clock.now();
    await sweepDue(app.tandem.services, DAY);
    const { sweptAt } = await connectionOf(app);
    expect(sweptAt).toBe(addMillis(before, 5 * MINUTE - DAY));
    app.github.faults.api.lists = "whole";
    await app.settle();
    expect((await app.tasks()).map(({ deleted_at }) => deleted_at !== null)).toEqual([
      ...[true, false, false],
    ]);
    await app.advance(5 * MINUTE);
    expect(await sweepDue(app.tandem.services, DAY)).toBe(1);
    expect((await connectionOf(app)).sweptAt).toBe(app.clock.now());
  });
});
