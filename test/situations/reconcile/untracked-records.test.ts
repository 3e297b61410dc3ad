/** Situation 55, the safety net: records that nothing looks at are found, counted and explained. */
import { expect, it } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { findUntracked } from "../../../src/runtime/reconcile/untracked-records.ts";
import { beforePeek } from "../../harness/before-peek.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { connect } from "../../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

/** Adds a task of which nothing was captured. */
async function addUncaptured(app: SampleTandem, title: string): Promise<string> {
  const task = await app.addTask({ title });
  await app.sql("delete from tandem.changes");
  return task;
}

async function backfill(app: SampleTandem): Promise<void> {
  await app.tandem.backfill(app.connection.id);
  for (let round = 0; round < 50; round += 1) {
    await app.settle();
    await app.advance(60_000);
    if ((await app.tandem.backfills()).every(({ finishedAt }) => finishedAt !== null)) return;
  }
  throw new Error("the backfill does not end");
}

async function untracked(app: SampleTandem): Promise<number | null | undefined> {
  return (await app.status()).connections[0]?.untracked_records;
}

async function whyNothing(app: SampleTandem, record: string): Promise<string> {
  const url = `http://localhost/api/explain/${record}`;
  const response = await app.tandem.fetch(new Request(url));
  const body = (await response.json()) as { readonly error: { readonly hint: string } };
  return body.error.hint;
}

describeOnOneDatabase("S55 a record with neither lane, event nor captured write", (open, kind) => {
  it("is counted by the local sweep, and `status` says so until it is paired", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), undefined, { log });
    const task = await addUncaptured(app, "Nothing captured");
    await app.addTask({ title: "Captured" });
    await app.settle();
    expect(await untracked(app)).toBeNull();

    expect(await app.tandem.sweepRecordsNow()).toMatchObject([{ untracked: 1 }]);
    const found = {
      message: "records of a connected scope had no lane, no event and no captured write",
      ...{ connection: app.connection.id, container: "acme/site", records: 1 },
    };
    expect(lines).toEqual([found]);
    await app.settle();
    expect(await untracked(app)).toBe(1);
    // No backfill has given every record a counterpart, so this one may be left out on purpose.
    expect(app.writes()).toBe(1);
    expect(await whyNothing(app, `tasks/${task}`)).toBe(
      `The record belongs to acme/site, but no write of it was captured since that connection was made. POST /api/connections/${app.connection.id}/reconcile pairs it.`,
    );

    await app.editTask(task, { title: "Captured now" });
    await app.settle();
    expect(await app.tandem.sweepRecordsNow()).toMatchObject([{ untracked: 0 }]);
    expect(await untracked(app)).toBe(0);
    expect(lines).toEqual([found]);
  });

  it("is not counted while its write waits for the drain", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql(`
      create function writes_on() returns trigger language plpgsql as $$
      begin
        if (select count(*) from tasks) < 3 then
          insert into tasks (project_id, title) values (1, 'Written while the sweep looks');
        end if;
        return null;
      end $$;
      create trigger writes_on after delete on tandem.changes
        for each statement execute function writes_on()`);
    const task = await app.addTask({ title: "Captured" });
    expect(await whyNothing(app, `tasks/${task}`)).toBe(
      "The write was captured and waits for the drain. Is a worker running? See /api/status.",
    );
    expect(await app.tandem.sweepRecordsNow()).toMatchObject([{ untracked: 0 }]);
    expect(await app.status()).toMatchObject({ undrained: 1 });
  });

  it.runIf(kind === "postgres")(
    "is not counted where its write is drained while the sweep looks",
    async () => {
      const app = await givenSampleTandem(await open());
      await app.addTask({ title: "Captured" });
      const { services } = app.tandem;
      const store = beforePeek(services.store, () => drainChanges(services));
      const book = await DirectorySnapshot.open(services);
      const contact = book.contact(app.connection.id);
      const mapping = services.mappings.find(({ recordType }) => recordType === "tasks");
      if (contact === null || mapping === undefined) throw new Error("tasks are not connected");
      expect(await findUntracked({ ...services, store }, contact, mapping)).toEqual({
        count: 0,
        missed: [],
      });
      expect(await app.status()).toMatchObject({ undrained: 0 });
    },
  );

  it("is counted where only another repository of its project has its issue", async () => {
    const app = await givenSampleTandem(await open(), withoutAuthors);
    await app.addTask({ title: "Paired before the mirror was connected" });
    await app.settle();
    await connect(app, "acme/mirror", "1");
    const swept = await app.tandem.sweepRecordsNow();
    expect(swept.map(({ untracked }) => untracked)).toEqual([0, 1]);
    const { connections } = await app.status();
    expect(connections.map((one) => [one.container, one.untracked_records])).toEqual([
      ["acme/site", 0],
      ["acme/mirror", 1],
    ]);
  });

  it("is paired after a backfill, which leaves no record out: a task, then its comment", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Paired" });
    await app.settle();
    await backfill(app);
    app.github.clearRequests();
    const task = await app.addTask({ title: "Nothing captured" });
    await app.addComment(task, "Nothing captured either");
    await app.sql("delete from tandem.changes");

    await app.tandem.sweepRecordsNow();
    expect(await untracked(app)).toBe(0);
    await app.settle();
    expect(app.github.issues(app.repo).map(({ title }) => title)).toContain("Nothing captured");
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(app.writes()).toBe(2);
  });

  it("is explained by what keeps it from having a counterpart", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("insert into projects (name) values ('Not connected')");
    const task = await app.addTask({ project_id: "2" });
    const comment = await app.addComment(task, "Below a task that is not connected");
    const archived = await app.addTask({ title: "Archived" });
    await app.sql("update tasks set deleted_at = now() where id = $1", [archived]);
    await app.settle();
    expect(await whyNothing(app, `tasks/${task}`)).toBe(
      'No connection has the scope project_id = "2". `tandem connect` adds one.',
    );
    expect(await whyNothing(app, `comments/${comment}`)).toBe(
      `Its parent, tasks task_id = "${task}", has no counterpart in any connection.`,
    );
    expect(await whyNothing(app, `tasks/${archived}`)).toBe(
      "The record is archived, so it gets no counterpart.",
    );
    expect(await whyNothing(app, "tasks/999")).toBe(
      "The table has no such row, or row security hides it from Tandem.",
    );
    expect(await whyNothing(app, "tasks/nonsense")).toMatch(
      /^"nonsense" cannot be a key of tasks: invalid input syntax for type \w+: "nonsense"\. Give /,
    );
    expect(await whyNothing(app, "tasks/99999999999999999999")).toMatch(/out of range/);
    expect(await whyNothing(app, "users/1")).toBe(
      "The table is not mapped. Known tables: tasks, comments.",
    );
  });
});
