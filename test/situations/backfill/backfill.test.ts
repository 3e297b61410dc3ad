/** Situation 47: backfill twice gives the same counts; webhooks arrive meanwhile; a page of it fails. */
import { expect, it } from "vitest";
import type { Backfill } from "../../../src/model/backfill.ts";
import { expectOneOfEach, pairedBy, TWIN_ERROR } from "../../harness/backfilled.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { tally } from "../../harness/tally.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

/** So many issues that nobody has told of, a minute between each. */
async function givenIssues(app: SampleTandem, count: number): Promise<void> {
  const { drop } = app.github.faults.webhooks;
  app.github.faults.webhooks.drop = 1;
  for (let number = 1; number <= count; number += 1) {
    app.github.as("mona").openIssue(app.repo, { title: `Issue ${String(number)}` });
    await app.advance(60_000);
  }
  app.github.faults.webhooks.drop = drop;
  app.github.clearRequests();
}

/** Rows that were there before Tandem: no trigger has seen them. */
async function givenTasks(
  app: SampleTandem,
  titles: readonly string[],
): Promise<readonly string[]> {
  await app.sql("alter table tasks disable trigger user");
  const ids: string[] = [];
  for (const title of titles) ids.push(await app.addTask({ title }));
  await app.sql("alter table tasks enable trigger user");
  return ids;
}

async function progressOf(app: SampleTandem, type = "issue"): Promise<Backfill> {
  const found = (await app.tandem.backfills()).find(({ resourceType }) => resourceType === type);
  if (found === undefined) throw new Error(`there is no backfill of ${type}`);
  return found;
}

/** Lets a backfill go on to its end; its pace is the provider's. */
async function finish(app: SampleTandem): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) {
    await app.settle();
    const open = (await app.tandem.backfills()).filter(({ finishedAt }) => finishedAt === null);
    if (open.length === 0) return;
    await app.advance(60_000);
  }
  throw new Error("the backfill does not end");
}

async function counts(app: SampleTandem) {
  const { listed, expected, paired, created, ambiguousCount } = (await progressOf(app)).progress;
  return { listed, expected, paired, created, ambiguousCount };
}

describeOnOneDatabase("a backfill", (open) => {
  it("S47 twice: the same counts, one record for each issue, and nothing written or said again", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssues(app, 250);
    await app.tandem.backfill(app.connection.id);
    await finish(app);

    await expectOneOfEach(app, 250);
    const story = tally(await app.story());
    expect(story).toEqual({ "inbound completed created_record": 250 });
    const first = await counts(app);
    expect(first).toEqual({ listed: 250, expected: 250, paired: 0, created: 0, ambiguousCount: 0 });
    const reads = app.reads();
    const { finishedAt } = await progressOf(app);

    await app.advance(60_000);
    await app.tandem.backfill(app.connection.id);
    await finish(app);

    expect(await counts(app)).toEqual(first);
    expect((await progressOf(app)).finishedAt).not.toEqual(finishedAt);
    await expectOneOfEach(app, 250);
    expect(tally(await app.story())).toEqual(story);
    expect(app.reads()).toBe(2 * reads);
    expect(app.writes()).toBe(0);
  });

  it("leaves nothing for the next poll to list: it asks for what was updated since", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssues(app, 30);
    await app.tandem.backfill(app.connection.id);
    await finish(app);
    const [connection] = await app.sql<{ since: string | null }>(
      "select high_water ->> 'issue' as since from tandem.connections",
    );
    expect(connection?.since).toBeTypeOf("string");
  });

  it("S47 one page of three fails: it goes on at that page, and not from the start", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssues(app, 250);
    await app.tandem.backfill(app.connection.id);
    let pages = 0;
    app.github.on("request", ({ path }) => {
      if (!path.endsWith("/issues")) return;
      pages += 1;
      if (pages === 1) app.github.failNext({ method: "GET", path: /issues$/, with: 503 });
    });
    await app.settle();

    const stopped = await progressOf(app);
    expect(stopped).toMatchObject({ step: "list", progress: { listed: 100, expected: 300 } });
    expect(stopped.progress.waitsFor).toContain("503");
    expect(pages).toBe(2);
    expect(await app.tasks()).toHaveLength(100);

    await finish(app);
    expect(await counts(app)).toMatchObject({ listed: 250, expected: 250 });
    await expectOneOfEach(app, 250);
    expect(tally(await app.story())).toEqual({ "inbound completed created_record": 250 });
    // Three pages, and the one that failed.
    expect(pages).toBe(4);
    expect(app.writes()).toBe(0);
  });

  it("S47 a process killed in the middle of it: another goes on at the page where it was", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssues(app, 250);
    await app.tandem.backfill(app.connection.id);
    const held = app.github.holdNext({ method: "GET", path: /issues$/ });
    const worker = app.tandem.startWorker({ name: "doomed", pollMillis: 3_600_000 });
    await held.arrived;
    void worker.kill();
    held.release();
    const { leasedUntil, progress } = await progressOf(app);
    expect(progress.listed).toBe(0);
    expect(leasedUntil).not.toBeNull();

    await app.settle();
    expect((await progressOf(app)).progress.listed).toBe(0);
    await app.advance(61_000);
    await finish(app);
    expect(await counts(app)).toMatchObject({ listed: 250 });
    await expectOneOfEach(app, 250);
    expect(tally(await app.story())).toEqual({ "inbound completed created_record": 250 });
    expect(app.github.calls({ path: /issues$/ })).toBe(4);
    expect(app.writes()).toBe(0);
  });

  it("S47 while webhooks arrive: each issue has one record, and says what it said last", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssues(app, 120);
    await app.tandem.backfill(app.connection.id);
    app.github.failNext({ method: "GET", path: /issues\/comments$/, with: 503 });
    let pages = 0;
    app.github.on("request", ({ path }) => {
      if (!path.endsWith("/issues")) return;
      pages += 1;
      // Between the pages: what was listed, what is still to be listed, and what is new.
      app.github.as("mona").editIssue(app.repo, pages, { body: "Edited meanwhile" });
      app.github.as("mona").editIssue(app.repo, 110 + pages, { body: "Edited meanwhile" });
      app.github.as("mona").openIssue(app.repo, { title: `New ${String(pages)}` });
    });
    await finish(app);
    await app.settle();

    await expectOneOfEach(app, 120 + pages);
    // Two of the six webhooks are new, three repeat a page, and one is about an issue that was listed
    // a moment before: the earlier version of the two gives way, whichever is admitted first.
    const {
      "inbound canceled superseded": canceled = 0,
      "inbound ignored later_event": ignored = 0,
      ...others
    } = tally(await app.story());
    expect(canceled + ignored).toBe(1);
    expect(others).toEqual({
      "inbound completed created_record": 120 + pages,
      "inbound completed updated_record": 2,
      "inbound duplicate same_content": 3,
    });
    expect(app.writes()).toBe(0);
  });

  it("ends listed events in the transaction that admits them; an event that the database refuses is errored alone", async () => {
    const app = await givenSampleTandem(await open(), withoutAuthors);
    await givenIssues(app, 12);
    await app.sql("alter table tasks add constraint no_seven check (title <> 'Issue 7')");
    await app.tandem.backfill(app.connection.id);
    await finish(app);

    expect(await app.tasks()).toHaveLength(11);
    const errored = await app.events("state=errored");
    expect(errored).toMatchObject([{ integration_external_id: "7", error: { retryable: false } }]);

    await app.sql("alter table tasks drop constraint no_seven");
    await givenIssues(app, 3);
    await app.tandem.backfill(app.connection.id);
    await finish(app);
    const workers = await app.sql(
      "select distinct worker from tandem.events where integration_external_id in ('13', '14', '15')",
    );
    expect(workers).toEqual([{ worker: "backfill" }]);
  });

  it("records that have no counterpart get one each, a few at a time, and children after them", async () => {
    const app = await givenSampleTandem(await open());
    const ids = await givenTasks(
      app,
      Array.from({ length: 25 }, (_, index) => `Task ${String(index + 1)}`),
    );
    await app.sql("alter table comments disable trigger user");
    for (const id of ids.slice(0, 3)) await app.addComment(id, `On ${id}`);
    await app.sql("alter table comments enable trigger user");
    await app.tandem.backfill(app.connection.id);
    await app.settle();
    // GitHub takes so many writes an hour, and half of them are for people.
    expect(app.writes()).toBe(10);
    expect(await progressOf(app)).toMatchObject({ step: "create", progress: { created: 10 } });

    await finish(app);
    await app.settle();
    expect(
      app.github
        .issues(app.repo)
        .map(({ title }) => title)
        .sort(),
    ).toEqual(Array.from({ length: 25 }, (_, index) => `Task ${String(index + 1)}`).sort());
    expect(app.github.comments(app.repo)).toHaveLength(3);
    expect(await counts(app)).toMatchObject({ created: 25 });
    expect(app.writes()).toBe(28);

    await app.tandem.backfill(app.connection.id);
    await finish(app);
    expect(await counts(app)).toMatchObject({ listed: 25, created: 0 });
    expect(app.writes()).toBe(28);
  });

  it("pairs what exists on both sides by its key before anything is created", async () => {
    const app = await givenPairable(await open(), "title");
    await finish(app);
    await app.settle();

    const tasks = await app.tasks();
    expect(tasks.map(({ title, markdown }) => [title, markdown]).sort()).toEqual([
      ["Both", "Theirs"],
      ["Only here", ""],
      ["Only there", ""],
    ]);
    expect(
      app.github
        .issues(app.repo)
        .map(({ title }) => title)
        .sort(),
    ).toEqual(["Both", "Only here", "Only there"]);
    expect((await app.comments()).map(({ markdown }) => markdown).sort()).toEqual([
      "Here",
      "Same",
      "There",
    ]);
    expect(await counts(app)).toMatchObject({ listed: 2, paired: 1, created: 1 });
    expect((await progressOf(app, "issue_comment")).progress).toMatchObject({
      paired: 1,
      created: 1,
    });
    const [paired] = (await app.events("direction=inbound")).filter(
      ({ record_id: id, resource_type: type }) => type === "issue" && id === "1",
    );
    expect(paired).toMatchObject({
      source: "backfill",
      state: "completed",
      reason: "updated_record",
      conflicts: [{ field: "body", winner: "resource", kept: "Theirs", lost: "Ours" }],
    });
    // One issue and one comment are new there.
    expect(app.writes()).toBe(2);
  });

  it("first pairing under `initial: record`: the issue takes what the record says", async () => {
    const app = await givenPairable(await open(), "title", "record");
    await finish(app);
    await app.settle();

    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Both", body: "Ours" });
    expect((await app.tasks())[0]).toMatchObject({ title: "Both", markdown: "Ours" });
  });

  it("webhooks and edits that come while pairing is under way make no duplicates", async () => {
    const app = await givenPairable(await open(), "title");
    app.github.failNext({ method: "GET", path: /issues$/, with: 503 });
    await app.settle();
    app.github.as("mona").editIssue(app.repo, 1, { body: "Said by webhook" });
    await app.editTask("1", { markdown: "Written here" });
    await app.settle();

    // Neither has a counterpart made for it yet.
    expect(await app.tasks()).toHaveLength(2);
    expect(app.writes()).toBe(0);
    expect([...(await app.story("state=queued"))].sort()).toEqual([
      "inbound queued awaiting_pairing",
      "inbound queued awaiting_pairing",
      "inbound queued awaiting_pairing",
      "outbound queued awaiting_pairing",
    ]);
    await finish(app);
    await app.settle();

    expect((await app.tasks()).map(({ title }) => title).sort()).toEqual([
      "Both",
      "Only here",
      "Only there",
    ]);
    expect(app.github.issues(app.repo)).toHaveLength(3);
    expect(app.github.issue(app.repo, 1)?.body).toBe((await app.tasks())[0]?.markdown);
    expect(await app.events("state=queued")).toEqual([]);
  });

  it("an ambiguous key pairs nothing, is named, and can be paired once somebody has made it clear", async () => {
    const app = await givenSampleTandem(await open(), pairedBy("title"));
    await givenTasks(app, ["Twin", "Twin", "Clear"]);
    app.github.faults.webhooks.drop = 1;
    for (const title of ["Twin", "Clear"]) app.github.as("mona").openIssue(app.repo, { title });
    await app.tandem.backfill(app.connection.id);
    await finish(app);
    await app.settle();

    expect(await app.tasks()).toHaveLength(3);
    expect(app.github.issues(app.repo)).toHaveLength(2);
    expect((await progressOf(app)).progress).toMatchObject({
      paired: 1,
      created: 0,
      ambiguousCount: 1,
      ambiguous: [{ label: 'title "Twin"', records: ["1", "2"], resources: ["1"] }],
    });
    expect(await app.events("state=errored")).toMatchObject([
      { reason: "failed", integration_external_id: "1", error: TWIN_ERROR },
    ]);
    expect(app.writes()).toBe(0);

    await app.sql("update tasks set title = 'Other twin' where id = 2");
    await app.tandem.backfill(app.connection.id);
    await finish(app);
    await app.settle();
    expect((await progressOf(app)).progress).toMatchObject({ paired: 1, ambiguousCount: 0 });
    expect(await app.pairings("1")).toMatchObject([
      { integration_external_id: "1", in_sync: true },
    ]);
    expect(await app.events("state=errored")).toEqual([]);
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual([
      "Twin",
      "Clear",
      "Other twin",
    ]);
    expect(app.writes()).toBe(1);
  });

  it("bulk work leaves half of the budget to others, and continues when the budget is reset", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssues(app, 150);
    app.github.setRateLimit("tandem-bot", 1_000, 3_000);
    await app.editTask(await app.addTask({ title: "By hand" }), { markdown: "Now" });
    await app.settle();
    const issues = app.github.issues(app.repo).length;
    await app.tandem.backfill(app.connection.id);
    await app.settle();

    const waiting = await progressOf(app);
    expect(waiting).toMatchObject({ step: "list", leasedUntil: null, progress: { listed: 0 } });
    expect(waiting.progress.waitsFor).toContain("interactive edits are sent first");
    // An edit by a person does not wait.
    await app.addTask({ title: "By hand again" });
    await app.settle();
    expect(app.github.issues(app.repo)).toHaveLength(issues + 1);

    await app.advance(3_001_000);
    await finish(app);
    expect((await progressOf(app)).progress.listed).toBe(152);
  });
});

/** Task and issue of one title, one on each side alone, and comments on the pair. */
async function givenPairable(
  database: TestDatabase,
  pairBy: unknown,
  initial?: string,
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, pairedBy(pairBy, initial));
  const [both] = await givenTasks(app, ["Both", "Only here"]);
  await app.sql("alter table tasks disable trigger user");
  await app.sql("update tasks set markdown = 'Ours' where id = $1", [both]);
  await app.sql("alter table tasks enable trigger user");
  await app.sql("alter table comments disable trigger user");
  for (const text of ["Same", "Here"]) await app.addComment(both ?? "", text);
  await app.sql("alter table comments enable trigger user");
  app.github.faults.webhooks.drop = 1;
  const mona = app.github.as("mona");
  mona.openIssue(app.repo, { title: "Both", body: "Theirs" });
  mona.openIssue(app.repo, { title: "Only there" });
  mona.comment(app.repo, 1, "Same");
  mona.comment(app.repo, 1, "There");
  await app.advance(60_000);
  app.github.faults.webhooks.drop = 0;
  app.github.clearRequests();
  await app.tandem.backfill(app.connection.id);
  return app;
}
