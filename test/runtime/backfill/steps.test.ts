/** The steps of a backfill: what each saves, and what the next one waits for. */
import { expect, it } from "vitest";
import type { AnyConfig } from "../../../src/config.ts";
import type { Backfill } from "../../../src/model/backfill.ts";
import { addMillis, SECOND } from "../../../src/model/instant.ts";
import { advanceBackfills } from "../../../src/runtime/backfill/backfill.ts";
import { pairedBy } from "../../harness/backfilled.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog, toldOf } from "../../harness/kept-log.ts";
import { connect } from "../../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

const MINUTE = 60_000;

/** Issues of which no webhook tells, and tasks of which no trigger tells. */
async function givenBoth(
  database: TestDatabase,
  issues: readonly string[],
  tasks: readonly string[],
  ...more: readonly [((config: AnyConfig) => AnyConfig)?, Parameters<typeof givenSampleTandem>[2]?]
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, ...more);
  app.github.faults.webhooks.drop = 1;
  for (const title of issues) app.github.as("mona").openIssue(app.repo, { title });
  await app.sql("alter table tasks disable trigger user");
  for (const title of tasks) await app.addTask({ title });
  await app.sql("alter table tasks enable trigger user");
  app.github.clearRequests();
  return app;
}

async function backfillOf(app: SampleTandem, type = "issue"): Promise<Backfill> {
  const found = (await app.tandem.backfills()).find(
    (one) => one.connectionId === app.connection.id && one.resourceType === type,
  );
  if (found === undefined) throw new Error(`there is no backfill of ${type}`);
  return found;
}

const step = (app: SampleTandem) => advanceBackfills(app.tandem.services);

const stepsOf = async (app: SampleTandem) =>
  (await app.tandem.backfills()).map((one) => `${one.resourceType} ${one.step}`);

const numbered = (from: number, to: number, word = "T") =>
  Array.from({ length: to - from + 1 }, (_, index) => `${word}${String(from + index)}`);

async function setBudget(app: SampleTandem, remaining: number): Promise<void> {
  const { directory } = app.tandem.services.store;
  const [account] = await directory.accounts();
  if (account === undefined) throw new Error("there is no account");
  const resetsAt = addMillis(app.clock.now(), 60 * MINUTE);
  await directory.updateAccount(account.id, { budget: { limit: 1_000, remaining, resetsAt } });
}

describeOnOneDatabase("a backfill", (open) => {
  it("saves each step with its place and progress, and gives its claim back", async () => {
    const app = await givenBoth(
      await open(),
      ["Both", "Twin", "There"],
      ["Both", "Twin", "Twin", "Here"],
      pairedBy("title"),
    );
    const startedAt = app.clock.now();
    await app.tandem.backfill(app.connection.id);
    const latest = app.github.issue(app.repo, 3)?.updatedAt ?? null;
    const progress = {
      ...{ listed: 0, expected: null, latest: null, paired: 0, created: 0 },
      ...{ ambiguous: [], ambiguousCount: 0, waitsFor: null },
    };
    const opened = {
      ...{ connectionId: app.connection.id, resourceType: "issue", step: "list", cursor: null },
      ...{ pairs: true, creates: true, startedAt, runAt: startedAt, leasedUntil: null },
      ...{ finishedAt: null, progress },
    };
    expect(await backfillOf(app)).toEqual(opened);

    const seen: Backfill[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await step(app);
      seen.push(await backfillOf(app));
    }
    const listed = { ...opened, progress: { ...progress, listed: 3, expected: 3, latest } };
    const paired = {
      ...listed.progress,
      ...{ paired: 1, ambiguousCount: 1 },
      ambiguous: [{ label: 'title "Twin"', records: ["2", "3"], resources: ["2"] }],
    };
    expect(seen).toEqual([
      { ...listed, step: "index_records" },
      { ...listed, step: "index_resources" },
      { ...listed, step: "pair" },
      { ...listed, step: "create", progress: paired },
    ]);

    await step(app);
    const finishedAt = app.clock.now();
    expect(await backfillOf(app)).toEqual({
      ...{ ...listed, step: "done", finishedAt },
      progress: { ...paired, created: 1 },
      // One create an hour's two-hundred-and-fiftieth: half of what GitHub allows.
      runAt: addMillis(finishedAt, 3_600_000 / 250),
    });
    await app.settle();
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual([
      ...["Both", "Twin", "There", "Here"],
    ]);
    const created = (await app.events("direction=outbound")).filter(
      ({ reason }) => reason === "created_resource",
    );
    expect(created).toMatchObject([{ source: "backfill", action: "upsert" }]);
    const [errored] = await app.events("state=errored");
    expect(errored).toMatchObject({
      source: "backfill",
      error: {
        code: "ambiguous_key",
        message:
          'title "Twin" is the key of tasks 2, 3 and of issue 2, so Tandem cannot tell which to pair.',
        hint: "Make the key unique on both sides and run `tandem backfill` again; or restart this event to give the resource a record of its own.",
        ...{ retryable: false, httpStatus: null, requestId: null },
      },
    });
  });

  it("goes on from its place where one step does not reach the end, in each of its steps", async () => {
    const same = numbered(1, 201);
    const app = await givenBoth(await open(), same, same, pairedBy("title"));
    await app.tandem.backfill(app.connection.id);
    const seen: string[] = [];
    let cursors = 0;
    while ((await backfillOf(app)).step !== "create") {
      await step(app);
      const now = await backfillOf(app);
      seen.push(now.step);
      if (now.cursor !== null) cursors += 1;
      expect(now.leasedUntil).toBeNull();
      expect(seen.length).toBeLessThan(20);
    }
    expect(seen).toEqual([
      ...["index_records", "index_records", "index_resources", "index_resources", "pair"],
      ...["pair", "create"],
    ]);
    expect(cursors).toBe(3);
    expect(await backfillOf(app)).toMatchObject({
      cursor: null,
      progress: { listed: 201, expected: 201, paired: 201, ambiguousCount: 0 },
    });
    await app.settle();
    expect(await app.tasks()).toHaveLength(201);
    expect(app.writes()).toBe(0);
  });

  it("names a hundred ambiguous keys, and counts them all", async () => {
    const keys = numbered(1, 101);
    const app = await givenBoth(await open(), keys, [...keys, ...keys], pairedBy("title"));
    await app.tandem.backfill(app.connection.id);
    for (let turn = 0; turn < 9; turn += 1) await step(app);
    const { progress } = await backfillOf(app);
    expect([progress.ambiguous.length, progress.ambiguousCount]).toEqual([100, 101]);
  });

  it("pairs a type of children after their parents are paired, and creates them after theirs are there", async () => {
    const app = await givenBoth(await open(), ["Both"], ["Both", "Here"], pairedBy("title"));
    await app.sql("alter table comments disable trigger user");
    await app.addComment("2", "Below a task that has no issue yet");
    await app.sql("alter table comments enable trigger user");
    // Another repository is still listed; its backfill concerns no other.
    await app.sql("insert into projects (name) values ('App')");
    app.github.createRepository({ owner: "acme", name: "app" });
    await app.tandem.backfill(app.connection.id);
    const seen: string[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      const went = await step(app);
      seen.push([...(await stepsOf(app)), went].join(", "));
    }
    expect(seen).toEqual([
      "issue index_records, issue_comment index_records, 2",
      "issue index_resources, issue_comment index_records, 1",
      "issue pair, issue_comment index_records, 1",
      "issue create, issue_comment index_resources, 2",
      "issue done, issue_comment pair, 2",
      "issue done, issue_comment create, 1",
      "issue done, issue_comment create, 0",
      "issue done, issue_comment create, 0",
    ]);
    await app.settle();
    expect((await backfillOf(app, "issue_comment")).step).toBe("done");
    expect(app.github.comments(app.repo)).toMatchObject([{ issueNumber: 2 }]);
  });

  it("waits for a step of its parents only in its own repository", async () => {
    const app = await givenBoth(await open(), ["Both"], ["Both"], pairedBy("title"));
    await connect(app, "acme/other", "1");
    await app.tandem.backfill(app.connection.id);
    for (let turn = 0; turn < 9; turn += 1) {
      await app.settle();
      await app.advance(MINUTE);
    }
    expect((await app.tandem.backfills()).map(({ finishedAt }) => finishedAt === null)).toEqual(
      Array(4).fill(false),
    );
  });

  it("waits while the account's rate limit is reserved, says so, and takes the step then", async () => {
    const app = await givenBoth(await open(), ["There"], []);
    await app.tandem.backfill(app.connection.id);
    const before = await backfillOf(app);
    await setBudget(app, 250);
    expect(await step(app)).toBe(0);
    const waiting = await backfillOf(app);
    expect(waiting).toEqual({
      ...before,
      runAt: addMillis(app.clock.now(), 30 * MINUTE + 1),
      progress: {
        ...before.progress,
        waitsFor: "the account's rate limit: interactive edits are sent first",
      },
    });
    expect(app.reads()).toBe(0);

    await app.advance(30 * MINUTE);
    expect(await step(app)).toBe(0);
    expect(app.reads()).toBe(0);
    await app.advance(1);
    await step(app);
    expect((await backfillOf(app)).progress).toMatchObject({ listed: 1, waitsFor: null });
  });

  it("queues ten creates at a time, and waits while twenty of its events do", async () => {
    const app = await givenBoth(await open(), [], numbered(1, 25));
    await app.tandem.backfill(app.connection.id);
    const creates = async () => (await app.events("direction=outbound&state=queued")).length;
    const turns: unknown[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await step(app);
      const { progress, cursor, runAt, leasedUntil } = await backfillOf(app);
      expect(leasedUntil).toBeNull();
      const pace = (runAt - app.clock.now()) / SECOND;
      turns.push([await creates(), progress.created, cursor, progress.waitsFor, pace]);
      await app.advance(10 * MINUTE);
    }
    expect(turns).toEqual([
      [0, 0, null, null, 0],
      [10, 10, "10", null, 144],
      [20, 20, "20", null, 144],
      [20, 20, "20", "its own events to be processed", 0],
    ]);
    await app.settle();
    expect(await backfillOf(app)).toMatchObject({
      ...{ step: "done", cursor: null, finishedAt: expect.any(Number) as number },
      progress: { created: 25, waitsFor: null },
    });
    expect(app.github.issues(app.repo)).toHaveLength(25);
  });

  it("that fails says why, and is repeated in half a minute", async () => {
    const { log, lines } = keptLog();
    const app = await givenBoth(await open(), ["There"], [], undefined, { log });
    await app.tandem.backfill(app.connection.id);
    const before = await backfillOf(app);
    app.github.failNext({ method: "GET", path: /issues$/, with: 503 });
    await step(app);
    const failed = await backfillOf(app);
    expect(failed).toEqual({
      ...before,
      runAt: addMillis(app.clock.now(), 30_000),
      progress: { ...before.progress, waitsFor: expect.stringContaining("503") as string },
    });
    expect(toldOf(lines, "a step of a backfill failed; it is repeated")).toEqual([
      {
        ...{ connection: app.connection.id, type: "issue" },
        error: failed.progress.waitsFor,
        code: expect.any(String) as string,
        hint: expect.any(String) as string,
      },
    ]);
    expect((await app.status()).accounts).toMatchObject([{ state: "active" }]);
    await app.advance(29_999);
    await step(app);
    expect(await backfillOf(app)).toEqual(failed);
    await app.advance(1);
    await step(app);
    expect((await backfillOf(app)).progress).toMatchObject({ listed: 1, waitsFor: null });
  });

  it("waits as long as its account, if the provider refuses that", async () => {
    const app = await givenBoth(await open(), ["There"], []);
    await app.tandem.backfill(app.connection.id);
    app.github.revokeToken("ghs_test");
    expect(await step(app)).toBe(0);
    // The list of comments was refused last.
    const { runAt, progress } = await backfillOf(app, "issue_comment");
    expect(runAt).toBe(addMillis(app.clock.now(), MINUTE));
    expect(progress.waitsFor).toContain("401");
    const [account] = await app.tandem.services.store.directory.accounts();
    expect(account).toMatchObject({
      ...{ state: "needs_attention", reason: progress.waitsFor, pausedUntil: runAt },
    });
  });

  it("takes no step while its connection or account is paused", async () => {
    const app = await givenBoth(await open(), ["There"], []);
    await app.tandem.backfill(app.connection.id);
    const { directory } = app.tandem.services.store;
    const [account] = await directory.accounts();
    if (account === undefined) throw new Error("there is no account");
    for (const paused of [{ inbound: false }, { outbound: false }]) {
      await directory.updateConnection(app.connection.id, paused);
      expect(await step(app)).toBe(0);
      await directory.updateConnection(app.connection.id, { inbound: true, outbound: true });
    }
    await directory.updateAccount(account.id, { state: "paused" });
    expect(await step(app)).toBe(0);
    await directory.updateAccount(account.id, { state: "active" });
    expect(app.reads()).toBe(0);
    // Issues and comments.
    expect(await step(app)).toBe(2);
  });

  it("leaves the saving to another worker, if a step takes longer than its claim", async () => {
    const { log, lines } = keptLog();
    const app = await givenBoth(await open(), ["There"], [], withoutAuthors, { log });
    await app.tandem.backfill(app.connection.id);
    const held = app.github.holdNext({ method: "GET", path: /issues$/ });
    const slow = step(app);
    await held.arrived;
    expect((await backfillOf(app)).leasedUntil).toBe(addMillis(app.clock.now(), MINUTE));
    await step(app);
    expect((await backfillOf(app)).step).toBe("list");
    // A request is given up before its lease ends, so the lease is ended here.
    await app.sql("update tandem.backfills set leased_until = tandem.now()");
    await step(app);
    const after = await backfillOf(app);
    expect(after).toMatchObject({ step: "create", progress: { listed: 1 } });
    held.release();
    await slow;
    expect(await backfillOf(app)).toEqual(after);
    expect(toldOf(lines, "a step of a backfill failed; it is repeated")).toMatchObject([
      {
        error: `another worker has the backfill of issue of connection ${app.connection.id}`,
      },
    ]);
    expect(await app.tasks()).toHaveLength(1);
  });
});
