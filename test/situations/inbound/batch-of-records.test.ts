/**
 * Events that need nothing but the database are ended together, in the transaction that admitted
 * them; an event that needs more is processed alone, and each has its own outcome.
 */
import pg from "pg";
import { expect, it } from "vitest";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { processDueBatch } from "../../../src/runtime/worker/claim-due.ts";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

/** Issues with a task each, whose webhooks are held from here on. */
async function givenPairs(
  database: TestDatabase,
  count: number,
  options: Parameters<typeof givenSampleTandem>[2] = {},
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, undefined, options);
  const mona = app.github.as("mona");
  for (let number = 1; number <= count; number += 1) {
    mona.openIssue(app.repo, { title: `Issue ${String(number)}` });
    await app.advance(2_000);
    await app.settle();
  }
  app.holdWebhooks();
  return app;
}

/** Takes in every webhook that is held, and works on what can be ended at once. */
async function takeIn(app: SampleTandem): Promise<number> {
  await app.release(...app.held());
  return translateDeliveries(app.tandem.services, "one");
}

function processDue(app: SampleTandem, limit = 10): Promise<number | null> {
  const { services } = app.tandem;
  return DirectorySnapshot.open(services).then((book) =>
    processDueBatch(services, book, "two", limit),
  );
}

describeOnOneDatabase("many at once", (open, kind) => {
  it("edits of many issues end in the transaction that takes their webhooks in", async () => {
    const app = await givenPairs(await open(), 3);
    const mona = app.github.as("mona");
    mona.editIssue(app.repo, 1, { title: "First" });
    mona.editIssue(app.repo, 2, { title: "Second" });
    await app.advance(2_000);
    mona.editIssue(app.repo, 2, { title: "Second again" });
    mona.closeIssue(app.repo, 3);
    expect(await takeIn(app)).toBe(4);

    expect((await app.tasks()).map(({ title, status }) => [title, status])).toEqual([
      ["First", "todo"],
      ["Second again", "todo"],
      ["Issue 3", "done"],
    ]);
    const [first, older, newer, closed, ...more] = (await app.events()).slice(3);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ state: "completed", reason: "updated_record", worker: "one" });
    expect(older).toMatchObject({ state: "canceled", canceled_by: newer?.id });
    expect(newer).toMatchObject({ reason: "updated_record", attempts: 1 });
    expect(closed?.changes).toEqual([
      { side: "record", field: "state", from: "open", to: "closed" },
    ]);
    await app.settle();
    expect(app.reads() + app.writes()).toBe(0);
  });

  it("a new issue and its comments become records at once, each below its own", async () => {
    const app = await givenSampleTandem(await open(), withoutAuthors);
    app.holdWebhooks();
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "First" });
    mona.openIssue(app.repo, { title: "Second" });
    mona.comment(app.repo, 2, "Below the second");
    mona.comment(app.repo, 1, "Below the first");
    await takeIn(app);

    const [first, second] = await app.tasks();
    expect([first?.title, second?.title]).toEqual(["First", "Second"]);
    expect((await app.comments()).map(({ markdown, task_id }) => [markdown, task_id])).toEqual([
      ["Below the second", second?.id],
      ["Below the first", first?.id],
    ]);
    expect(new Set(await app.story("state=completed"))).toEqual(
      new Set(["inbound completed created_record"]),
    );
    await app.settle();
    expect(app.writes()).toBe(0);
  });

  it("a comment whose issue has no task yet waits for it alone", async () => {
    const app = await givenSampleTandem(await open());
    app.holdWebhooks();
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Parent" });
    mona.comment(app.repo, 1, "Child");
    await takeIn(app);
    // Their authors are looked up, so they are worked on alone; the parent's end wakes the child.
    expect(await app.tasks()).toEqual([]);
    expect(await processDue(app)).toBe(0);
    await app.settle();
    const task = await app.task();
    expect(await app.comments()).toMatchObject([{ markdown: "Child", task_id: task.id }]);
  });

  it("one that the table refuses is errored alone, and delays no other", async () => {
    const app = await givenPairs(await open(), 3);
    await app.sql("alter table tasks add constraint no_shouting check (title <> upper(title))");
    const mona = app.github.as("mona");
    mona.editIssue(app.repo, 1, { title: "First" });
    mona.editIssue(app.repo, 2, { title: "LOUD" });
    mona.editIssue(app.repo, 3, { title: "Third" });
    await takeIn(app);
    // Those beside it have ended with the batch; it waits for its turn.
    expect(await app.story("state=queued")).toHaveLength(1);
    expect((await app.tasks()).map(({ title }) => title)).toEqual(["First", "Issue 2", "Third"]);
    await app.settle();

    const [errored] = await app.events("state=errored");
    expect(errored).toMatchObject({
      integration_external_id: "2",
      error: { code: "check_violated" },
    });
    expect(await app.story("state=completed")).toHaveLength(5);

    // An event that has just been refused is tried alone from the start, and may be accepted.
    await app.advance(2_000);
    mona.editIssue(app.repo, 1, { title: "First again" });
    mona.editIssue(app.repo, 2, { title: "Quiet" });
    await takeIn(app);
    expect((await app.tasks()).map(({ title }) => title)).toEqual([
      ...["First again", "Issue 2", "Third"],
    ]);
    await app.settle();
    expect((await app.tasks())[1]?.title).toBe("Quiet");
  });

  it("waiting events are ended together as well, except those that must be read again", async () => {
    const app = await givenPairs(await open(), 2);
    const mona = app.github.as("mona");
    mona.editIssue(app.repo, 1, { title: "First" });
    mona.editIssue(app.repo, 2, { title: "Second" });
    mona.editIssue(app.repo, 2, { title: "Second again" });
    await app.release(...app.held());
    await translateDeliveries(app.tandem.services, null);
    expect(await app.story("state=queued")).toEqual([
      "inbound queued admitted",
      "inbound queued reread_needed",
    ]);

    expect(await processDue(app)).toBe(1);
    expect(await app.story("state=queued")).toEqual(["inbound queued reread_needed"]);
    expect(app.reads() + app.writes()).toBe(0);
    await app.settle();
    expect((await app.tasks()).map(({ title }) => title)).toEqual(["First", "Second again"]);
    expect(app.reads()).toBe(1);
  });

  it("a deletion among edits is carried out alone", async () => {
    const app = await givenPairs(await open(), 2);
    const mona = app.github.as("mona");
    mona.editIssue(app.repo, 1, { title: "First" });
    mona.deleteIssue(app.repo, 2);
    await takeIn(app);
    expect(await app.story("state=queued")).toEqual(["inbound queued admitted"]);
    await app.settle();
    expect((await app.tasks()).map(({ deleted_at }) => deleted_at !== null)).toEqual([false, true]);
  });

  it("an edit of ours that no drain has seen yet counts: the later side wins its field", async () => {
    const app = await givenPairs(await open(), 2);
    const mona = app.github.as("mona");
    mona.editIssue(app.repo, 1, { title: "Theirs", body: "Their text" });
    await app.advance(2_000);
    const [task] = await app.tasks();
    await app.editTask(task?.id ?? "", { title: "Ours" });
    await takeIn(app);
    expect(await app.tasks()).toMatchObject([{ title: "Ours", markdown: "Their text" }, {}]);
    const [, , merged] = await app.events();
    expect(merged).toMatchObject({
      state: "completed",
      conflicts: [{ field: "title", kept: "Ours", lost: "Theirs", why: "both_changed" }],
    });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours", body: "Their text" });
    expect(app.writes()).toBe(1);
  });

  it("edits of one record's two resources are merged one after the other", async () => {
    const app = await givenSampleTandem(await open());
    app.github.createRepository({ owner: "acme", name: "mirror" });
    await app.tandem.connect({
      account: {
        name: "acme",
        integration: "github",
        credentials: { token: "ghs_test", baseUrl: app.github.apiUrl },
      },
      container: "acme/mirror",
      scope: "1",
    });
    await app.addTask({ title: "Shared" });
    await app.settle();
    await app.advance(5_000);
    await app.settle();
    app.holdWebhooks();
    const mona = app.github.as("mona");
    mona.editIssue(app.repo, 1, { title: "Title from one" });
    mona.editIssue("acme/mirror", 1, { body: "Text from the other" });
    await takeIn(app);
    await app.settle();
    const both = { title: "Title from one", body: "Text from the other" };
    expect(await app.task()).toMatchObject({ title: both.title, markdown: both.body });
    expect(app.github.issue(app.repo, 1)?.title).toBe(both.title);
    expect(app.github.issue("acme/mirror", 1)?.title).toBe(both.title);
    expect(await app.story("state=errored")).toEqual([]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
  });

  it("on a copy of the database what comes in waits, until a person says", async () => {
    const app = await givenPairs(await open(), 1);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited" });
    await app.sql("update tandem.instance set place = 'another/server'");
    await app.advance(120_000);
    await takeIn(app);
    expect(await processDue(app)).toBe(0);
    expect(await app.story("state=queued")).toEqual(["inbound queued admitted"]);
    expect(await app.task()).toMatchObject({ title: "Issue 1" });
    await app.tandem.approveInstance();
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Edited" });
  });

  it("events that the database cuts off together are ended one by one", async () => {
    const { log, lines } = keptLog();
    const app = await givenPairs(await open(), 3, { log });
    await app.sql(`
      create function cut_off() returns trigger language plpgsql as $$
        begin
          if (select count(*) from changed) > 1 then
            raise exception 'canceling statement due to statement timeout'
              using errcode = 'query_canceled';
          end if;
          return null;
        end
      $$;
      create trigger cut_off after update on tasks
        referencing new table as changed for each statement execute function cut_off()`);
    const mona = app.github.as("mona");
    for (const number of [1, 2, 3]) mona.editIssue(app.repo, number, { body: "Edited" });
    expect(await takeIn(app)).toBe(3);
    expect(await app.story("state=queued")).toHaveLength(3);
    expect(await processDue(app)).toBeNull();
    const error = "canceling statement due to statement timeout";
    expect(lines).toEqual([
      { message: "a batch of deliveries failed; its events are queued", error },
      { message: "a batch of inbound events failed; each is processed singly", error },
    ]);
    await app.settle();
    expect((await app.tasks()).map(({ markdown }) => markdown)).toEqual(
      Array.from({ length: 3 }, () => "Edited"),
    );
    expect(await app.story("state=errored")).toEqual([]);
  });

  it("an event that waits for a new record is woken when all is saved", async () => {
    const app = await givenSampleTandem(await open(), withoutAuthors);
    const mona = app.github.as("mona");
    app.holdWebhooks();
    await app.tandem.syncNow();
    const hold = app.github.holdNext({ method: "GET", path: /\/issues\/comments/ });
    const polled = app.tandem.syncNow();
    await hold.arrived;
    // The list of issues is behind us, that of comments still to come.
    mona.openIssue(app.repo, { title: "Young" });
    const { id } = mona.comment(app.repo, 1, "Said");
    hold.release();
    await polled;
    await app.settle();
    expect(await app.story("state=queued")).toEqual(["inbound queued awaiting_parent"]);

    await app.advance(2_000);
    mona.editComment(app.repo, id, "Said");
    // The comment's own event takes the later time, and its issue comes along.
    await app.release(...app.held().slice(-1));
    await translateDeliveries(app.tandem.services, "one");
    const task = await app.task();
    expect(await app.comments()).toEqual([]);
    expect(await processDue(app)).toBe(1);
    expect(await app.comments()).toMatchObject([{ markdown: "Said", task_id: task.id }]);
  });

  it.runIf(kind === "postgres")(
    "a row that a new record refers to may be locked by the app: the batch does not wait for it",
    async () => {
      const database = await open();
      const app = await givenSampleTandem(database, withoutAuthors);
      const mona = app.github.as("mona");
      mona.openIssue(app.repo, { title: "Known" });
      await app.advance(2_000);
      await app.settle();
      app.holdWebhooks();
      mona.editIssue(app.repo, 1, { title: "Edited" });
      mona.openIssue(app.repo, { title: "New" });
      const session = new pg.Client({ connectionString: database.url });
      await session.connect();
      await session.query("begin; select from projects where id = 1 for update");
      expect(await takeIn(app)).toBe(2);
      expect(await processDue(app)).toBeNull();
      expect(await app.story("state=queued")).toHaveLength(2);
      // No row of the app is held meanwhile.
      await session.query("update tasks set position = 7 where id = 1; commit");
      await session.end();
      await app.settle();
      expect((await app.tasks()).map(({ title }) => title)).toEqual(["Edited", "New"]);
    },
  );
});
