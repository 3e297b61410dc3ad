/** Situations 56 and 57: webhooks never arrive, and still no write covers what nobody has read. */
import { expect, it } from "vitest";
import { SAMPLE_SCHEMA } from "../../../src/demo/sample-schema.ts";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import type { Services } from "../../../src/runtime/services/services.ts";
import { claimDue } from "../../../src/runtime/worker/claim-due.ts";
import { processClaimed } from "../../../src/runtime/worker/process-claimed.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { catchRequest, PATCH_ISSUE } from "../../harness/in-flight.ts";
import { refusesTwo } from "../../harness/refuse-together.ts";
import { withLabels } from "../../harness/sample-labels.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** A task with its issue, a minute old, and no webhook from here on. */
async function givenPolled(
  database: TestDatabase,
  labels: readonly string[] = [],
  options: Parameters<typeof givenSampleTandem>[2] = {},
) {
  await database.sql(SAMPLE_SCHEMA);
  await database.sql("alter table tasks add column labels text[] not null default '{}'");
  const app = await givenSampleTandem(database, withLabels, options);
  app.github.as("mona").openIssue(app.repo, { title: "Title", body: "Body", labels });
  await app.settle();
  await app.advance(60_000);
  app.github.faults.webhooks.drop = 1;
  app.github.clearRequests();
  const { id } = await app.task();
  return { app, id };
}

/**
 * Claims so many edits, to be worked on at once: each has read before the first is begun, and the others are
 * begun together. Given a switch, the worker of all, or of the first few, is killed at that moment.
 */
async function claimToGather(
  app: SampleTandem,
  count: number,
  killed?: AbortController,
  ofKilled = count,
) {
  const { services } = app.tandem;
  await drainChanges(services);
  const book = await DirectorySnapshot.open(services);
  const claims = await claimDue(services, book, "ada", 60_000, count);
  let toCome = count;
  let goOn: () => void = () => undefined;
  const allHaveRead = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const gathered: Services = {
    ...services,
    reads: {
      add(kind, edit, beginTogether) {
        toCome -= 1;
        if (toCome === 0) goOn();
        return services.reads.add(kind, edit, async (edits) => {
          await allHaveRead;
          killed?.abort();
          return beginTogether(edits);
        });
      },
    },
  };
  const { signal: others } = new AbortController();
  const { signal } = killed ?? new AbortController();
  return () =>
    Promise.all(
      claims.map((claimed, index) =>
        processClaimed(gathered, claimed, book, index < ofKilled ? signal : others),
      ),
    );
}

const issue = (app: SampleTandem) => app.github.issues(app.repo)[0];

async function conflictsOf(app: SampleTandem) {
  return (await app.events()).flatMap(({ conflicts }) => conflicts);
}

async function labelsOf(app: SampleTandem, id: string) {
  const [row] = await app.sql<{ labels: readonly string[] }>(
    "select labels from tasks where id = $1",
    [id],
  );
  return row?.labels;
}

/** The requests for the issue, in order. */
const asked = (app: SampleTandem) =>
  app.github.requests.map(({ method, path }) => `${method} ${path.replace(/^.*\/issues/, "")}`);

describeOnOneDatabase("a write where webhooks are lost", (open) => {
  it("S56 another field was edited there: both edits survive", async () => {
    const { app, id } = await givenPolled(await open());
    app.github.as("mona").editIssue(app.repo, 1, { body: "Their body" });
    await app.advance(5_000);
    await app.editTask(id, { title: "Our title" });
    await app.settle();
    expect(issue(app)).toMatchObject({ title: "Our title", body: "Their body" });
    expect(await app.task()).toMatchObject({ title: "Our title", markdown: "Their body" });
    expect(await conflictsOf(app)).toEqual([]);
    expect(app.writes()).toBe(1);
    expect(asked(app)).toEqual(["GET /1", "PATCH /1"]);
  });

  it("S56 the same field was edited there before: ours is later, theirs is in conflicts", async () => {
    const { app, id } = await givenPolled(await open());
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(5_000);
    await app.editTask(id, { title: "Ours" });
    await app.settle();
    expect(issue(app)).toMatchObject({ title: "Ours" });
    expect(await app.task()).toMatchObject({ title: "Ours" });
    expect(await conflictsOf(app)).toMatchObject([
      { field: "title", winner: "record", kept: "Ours", lost: "Theirs", why: "both_changed" },
    ]);
    expect(app.writes()).toBe(1);
  });

  it("S56 the same field was edited there since: theirs is later, nothing leaves, ours is in conflicts", async () => {
    const { app, id } = await givenPolled(await open());
    await app.editTask(id, { title: "Ours" });
    await app.advance(5_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.settle();
    expect(issue(app)).toMatchObject({ title: "Theirs" });
    expect(await app.task()).toMatchObject({ title: "Theirs" });
    expect(await conflictsOf(app)).toMatchObject([
      { field: "title", winner: "resource", kept: "Theirs", lost: "Ours", why: "both_changed" },
    ]);
    expect(app.writes()).toBe(0);
  });

  it("S56 a title was edited there while a body leaves here: both survive", async () => {
    const { app, id } = await givenPolled(await open());
    await app.editTask(id, { markdown: "Our body" });
    const { hold, done } = await catchRequest(app, PATCH_ISSUE);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Their title" });
    hold.release();
    await done;
    await app.settle();
    expect(issue(app)).toMatchObject({ title: "Their title", body: "Our body" });
    expect(await app.task()).toMatchObject({ title: "Their title", markdown: "Our body" });
    expect(await conflictsOf(app)).toEqual([]);
  });

  it("S56 edits that are begun together read each their own, and a read that is late holds none up", async () => {
    const { app, id } = await givenPolled(await open());
    const second = await app.addTask({ title: "Second" });
    await app.settle();
    await app.advance(60_000);
    // Nothing is to be polled in the worker's life.
    await app.tandem.syncNow();
    app.github.as("mona").editIssue(app.repo, 1, { body: "Their body" });
    app.github.as("mona").editIssue(app.repo, 2, { body: "Their other body" });
    await app.advance(5_000);
    await app.editTask(id, { title: "One" });
    await app.editTask(second, { title: "Two" });
    app.github.clearRequests();
    const hold = app.github.holdNext({ method: "GET", path: /\/issues\/1$/ });
    const worker = app.tandem.startWorker({ name: "ada" });
    await hold.arrived;
    await expect
      .poll(() => app.github.issues(app.repo)[1])
      .toMatchObject({ title: "Two", body: "Their other body" });
    hold.release();
    await expect.poll(() => issue(app)).toMatchObject({ title: "One" });
    await worker.stop();
    await app.settle();
    expect(issue(app)).toMatchObject({ title: "One", body: "Their body" });
    expect(await app.tasks()).toMatchObject([
      { title: "One", markdown: "Their body" },
      { title: "Two", markdown: "Their other body" },
    ]);
    expect(await conflictsOf(app)).toEqual([]);
    expect(app.writes()).toBe(2);
  });

  it("S56 edits that cannot be begun together leave alone, each after its own read, and the log says why", async () => {
    const { log, lines } = keptLog();
    const { app, id } = await givenPolled(await open(), [], { log });
    const ids = [id, await app.addTask({ title: "Two" }), await app.addTask({ title: "Three" })];
    await app.settle();
    await app.advance(60_000);
    await app.sql(refusesTwo("integration_records", "attempt is not null"));
    for (const each of ids) await app.editTask(each, { title: `Edited ${each}` });
    const work = await claimToGather(app, ids.length);
    app.github.clearRequests();
    await work();
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual(
      ids.map((each) => `Edited ${each}`),
    );
    expect(lines).toEqual([
      {
        message: "a batch of edits failed; each is processed singly",
        error: expect.any(String) as string,
      },
    ]);
    expect(app.writes()).toBe(3);
  });

  it("S56 of a worker that is killed meanwhile nothing is tried again", async () => {
    const { log, lines } = keptLog();
    const { app, id } = await givenPolled(await open(), [], { log });
    const ids = [id, await app.addTask({ title: "Two" }), await app.addTask({ title: "Three" })];
    await app.settle();
    await app.advance(60_000);
    await app.sql(refusesTwo("integration_records", "attempt is not null"));
    for (const each of ids) await app.editTask(each, { title: `Edited ${each}` });
    const killed = new AbortController();
    const work = await claimToGather(app, ids.length, killed);
    app.github.clearRequests();
    await work();
    expect(app.writes()).toBe(0);
    expect(lines.filter(({ message }) => message.includes("processed singly"))).toEqual([]);
  });

  it("S56 beside those of a worker that is killed nothing is tried again in its place", async () => {
    const { log, lines } = keptLog();
    const { app, id } = await givenPolled(await open(), [], { log });
    const ids = [id, await app.addTask({ title: "Two" }), await app.addTask({ title: "Three" })];
    await app.settle();
    await app.advance(60_000);
    await app.sql(refusesTwo("integration_records", "attempt is not null"));
    for (const each of ids) await app.editTask(each, { title: `Edited ${each}` });
    const work = await claimToGather(app, ids.length, new AbortController(), 2);
    app.github.clearRequests();
    await work();
    expect(lines.filter(({ message }) => message.includes("processed singly"))).toEqual([]);
    expect(app.writes()).toBeLessThanOrEqual(1);
  });

  it("S56 what is deleted here and was edited there unread is named", async () => {
    const { app, id } = await givenPolled(await open());
    const comment = await app.addComment(id, "Ours");
    await app.settle();
    await app.advance(60_000);
    const [remote] = app.github.comments(app.repo);
    if (remote === undefined) throw new Error("the comment was not sent");
    app.github.as("mona").editComment(app.repo, remote.id, "Theirs");
    await app.advance(5_000);
    await app.sql("delete from comments where id = $1", [comment]);
    await app.settle();
    expect(app.github.comments(app.repo)).toEqual([]);
    expect(await conflictsOf(app)).toMatchObject([
      { field: "body", winner: "record", kept: null, lost: "Theirs", why: "record_deleted" },
    ]);
  });

  it("S56 what was opened again there unread, and is closed for its deleted task, is named", async () => {
    const { app, id } = await givenPolled(await open());
    app.github.as("mona").closeIssue(app.repo, 1);
    await app.tandem.syncNow();
    await app.settle();
    expect(await app.task()).toMatchObject({ status: "done" });
    await app.advance(5_000);
    app.github.as("mona").reopenIssue(app.repo, 1);
    await app.advance(5_000);
    await app.sql("delete from tasks where id = $1", [id]);
    app.github.clearRequests();
    await app.settle();
    expect(issue(app)).toMatchObject({ state: "closed" });
    expect(await conflictsOf(app)).toMatchObject([
      { field: "state", winner: "record", kept: "closed", lost: "open", why: "record_deleted" },
    ]);
    expect(asked(app)).toEqual(["GET /1", "PATCH /1"]);
  });

  it("S57 a label was added there, another here: both are on both sides", async () => {
    const { app, id } = await givenPolled(await open(), ["bug"]);
    app.github.as("mona").addLabel(app.repo, 1, "theirs");
    await app.advance(5_000);
    await app.sql("update tasks set labels = labels || '{ours}'::text[] where id = $1", [id]);
    await app.settle();
    expect(issue(app)?.labels.toSorted()).toEqual(["bug", "ours", "theirs"]);
    expect((await labelsOf(app, id))?.toSorted()).toEqual(["bug", "ours", "theirs"]);
    expect(await conflictsOf(app)).toEqual([]);
    expect(app.writes()).toBe(1);
    expect(asked(app)).toEqual(["GET /1", "POST /1/labels", "GET /1"]);
  });

  it("S57 a label is added there while ours is on its way: both are on both sides", async () => {
    const { app, id } = await givenPolled(await open(), ["bug"]);
    await app.sql("update tasks set labels = '{ours}'::text[] where id = $1", [id]);
    const { hold, done } = await catchRequest(app, { method: "POST", path: /\/labels$/ });
    app.github.as("mona").addLabel(app.repo, 1, "theirs");
    hold.release();
    await done;
    await app.settle();
    expect(issue(app)?.labels.toSorted()).toEqual(["ours", "theirs"]);
    expect((await labelsOf(app, id))?.toSorted()).toEqual(["ours", "theirs"]);
    expect(await conflictsOf(app)).toEqual([]);
  });

  it("S57 an answer to a label is lost: it is looked for, and what was added beside it stays", async () => {
    const { app, id } = await givenPolled(await open(), ["bug"]);
    await app.sql("update tasks set labels = labels || '{ours}'::text[] where id = $1", [id]);
    app.github.failNext({ method: "POST", path: /\/labels$/, with: "lost-answer" });
    await app.settle();
    app.github.as("mona").addLabel(app.repo, 1, "theirs");
    await app.advance(60_000);
    await app.settle();
    expect(issue(app)?.labels.toSorted()).toEqual(["bug", "ours", "theirs"]);
    expect((await labelsOf(app, id))?.toSorted()).toEqual(["bug", "ours", "theirs"]);
    expect(await conflictsOf(app)).toEqual([]);
    expect(app.writes()).toBe(1);
  });

  it.each(["secondary-limit", 503] as const)(
    "S57 our label is answered, the read after it meets %s, and a person takes the label off: it stays off",
    async (refusal) => {
      const { app, id } = await givenPolled(await open(), ["bug"]);
      await app.sql("update tasks set labels = '{bug,ours}'::text[] where id = $1", [id]);
      const { hold, done } = await catchRequest(app, { method: "POST", path: /\/labels$/ });
      app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: refusal });
      hold.release();
      await done;
      app.github.as("mona").removeLabel(app.repo, 1, "ours");
      await app.advance(600_000);
      await app.tandem.syncNow();
      await app.settle();
      expect(issue(app)?.labels).toEqual(["bug"]);
      expect(await labelsOf(app, id)).toEqual(["bug"]);
      expect(app.writes()).toBe(1);
    },
  );

  it("S56 nothing has changed there since our own write: the read says so, and is free", async () => {
    const { app, id } = await givenPolled(await open());
    await app.editTask(id, { title: "Once" });
    await app.settle();
    await app.advance(60_000);
    app.github.clearRequests();
    await app.editTask(id, { title: "Twice" });
    await app.settle();
    expect(app.github.requests.map(({ method, status }) => `${method} ${String(status)}`)).toEqual([
      "GET 304",
      "PATCH 200",
    ]);
    expect(issue(app)).toMatchObject({ title: "Twice" });
  });

  it("S56 a deleted issue is found by the read: nothing leaves, and its task goes as its mapping says", async () => {
    const { app, id } = await givenPolled(await open());
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.editTask(id, { title: "Ours" });
    await app.settle();
    expect(app.writes()).toBe(0);
    expect((await app.story("direction=outbound")).at(-1)).toBe("outbound ignored tombstoned");
  });
});
