/** Situation 55: a comment is drained before the transaction that makes its task's lane has committed. */
import { expect, it } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import type { Store, StoreTransaction } from "../../../src/store/store.ts";
import { beforePeek } from "../../harness/before-peek.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Another worker's drain, which stops between making lanes and its commit. */
async function drainWithPause(
  { tandem: { services } }: SampleTandem,
  pause: () => Promise<unknown>,
): Promise<void> {
  let isFirst = true;
  const store: Store = {
    ...services.store,
    transaction: (work, beginning) =>
      services.store.transaction((tx, seen) => {
        const paused: StoreTransaction = {
          ...tx,
          async saveLanes(decided) {
            await tx.saveLanes(decided);
            if (isFirst) await pause();
            isFirst = false;
          },
        };
        return work(paused, seen);
      }, beginning),
  };
  await drainChanges({ ...services, store });
}

/** Takes the captured writes of a table away, as a drain that has not committed does. */
async function hideChanges(app: SampleTandem, table: string): Promise<() => Promise<void>> {
  await app.sql(
    `create table hidden_changes as select * from tandem.changes where record_type = '${table}'`,
  );
  await app.sql(`delete from tandem.changes where record_type = '${table}'`);
  return async () => {
    await app.sql(
      "insert into tandem.changes overriding system value select * from hidden_changes",
    );
  };
}

async function expectBothOnce(app: SampleTandem): Promise<void> {
  await app.settle();
  const comments = app.github.comments(app.repo);
  expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual(["Broken link"]);
  expect(comments.map(({ body }) => body)).toEqual([expect.stringContaining("Seen on the site")]);
  expect(app.writes()).toBe(2);
  expect(await app.sql("select from tandem.events_live")).toEqual([]);
  expect(await app.sql("select from tandem.changes")).toEqual([]);
}

describeOnOneDatabase("a comment that is drained before its task", (open, kind) => {
  it.runIf(kind === "postgres")(
    "S55 the task's lane is not committed yet: both arrive, once",
    async () => {
      const app = await givenSampleTandem(await open());
      const task = await app.addTask({ title: "Broken link" });
      await drainWithPause(app, async () => {
        await app.addComment(task, "Seen on the site");
        await drainChanges(app.tandem.services);
      });
      await expectBothOnce(app);
      // The other drain makes the task's lane, so the task is not drained once more.
      expect(await app.story("direction=outbound")).toEqual([
        "outbound completed created_resource",
        "outbound completed created_resource",
      ]);
    },
  );

  it.runIf(kind === "postgres")(
    "S55 the task's lane is committed while the comment's drain looks: the task is not drained again",
    async () => {
      const app = await givenSampleTandem(await open());
      const task = await app.addTask({ title: "Broken link" });
      const giveBack = await hideChanges(app, "tasks");
      await app.addComment(task, "Seen on the site");
      const { services } = app.tandem;
      const store = beforePeek(services.store, async () => {
        await giveBack();
        await drainChanges(services);
      });
      await drainChanges({ ...services, store });
      expect(await app.sql("select from tandem.changes where record_type = 'tasks'")).toEqual([]);
      await expectBothOnce(app);
    },
  );

  it.runIf(kind === "postgres")(
    "S55 four writers beside four drains: each comment has its lane, and its task one",
    async () => {
      const app = await givenSampleTandem(await open());
      const each = Number(process.env.TANDEM_TEST_PAIRS ?? "40");
      let writing = 4;
      const write = async () => {
        for (let left = each; left > 0; left -= 1) {
          await app.addComment(await app.addTask({ title: "A task" }), "A comment");
        }
        writing -= 1;
      };
      const drain = async () => {
        while (writing > 0) await drainChanges(app.tandem.services);
      };
      await Promise.all(
        [write, write, write, write, drain, drain, drain, drain].map((run) => run()),
      );
      while ((await drainChanges(app.tandem.services)) > 0);
      const [count] = await app.sql(`
        select count(*)::int as pairs,
          count(lanes.id)::int as lanes,
          count(distinct comments.id)::int as comments
        from comments left join tandem.lanes
          on record_type = 'comments' and record_id = comments.id::text`);
      const all = 4 * each;
      expect(count).toEqual({ pairs: all, lanes: all, comments: all });
      const [tasks] = await app.sql(
        "select count(*)::int as lanes from tandem.lanes where record_type = 'tasks'",
      );
      expect(tasks).toEqual({ lanes: all });
    },
  );

  it("S55 the task's own write is not drained yet: both arrive, once", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Broken link" });
    const giveBack = await hideChanges(app, "tasks");
    await app.addComment(task, "Seen on the site");
    await drainChanges(app.tandem.services);
    await giveBack();
    await expectBothOnce(app);
  });

  it("S55 nothing was captured of the task: it is drained all the same, and both arrive", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Broken link" });
    await app.sql("delete from tandem.changes");
    await app.addComment(task, "Seen on the site");
    await expectBothOnce(app);
  });

  it.runIf(kind === "postgres")(
    "S55 a comment is moved to a task whose lane is not committed yet: it follows",
    async () => {
      const app = await givenSampleTandem(await open());
      await app.sql("insert into projects (name) values ('Not connected')");
      const elsewhere = await app.addTask({ project_id: "2", title: "Not connected" });
      const comment = await app.addComment(elsewhere, "Seen on the site");
      await app.settle();
      const task = await app.addTask({ title: "Broken link" });
      await drainWithPause(app, async () => {
        await app.sql("update comments set task_id = $1 where id = $2", [task, comment]);
        await drainChanges(app.tandem.services);
      });
      await expectBothOnce(app);
    },
  );

  it("S55 a comment below a task of a project that is not connected gets no lane", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("insert into projects (name) values ('Not connected')");
    await app.addComment(await app.addTask({ project_id: "2" }), "Not connected");
    await app.settle();
    expect(await app.sql("select from tandem.lanes")).toEqual([]);
    expect(app.writes()).toBe(0);
  });

  it("S55 the task is deleted before it has a lane: its comment waits for nothing", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("alter table comments drop constraint comments_task_id_fkey");
    const task = await app.addTask({ title: "Broken link" });
    await app.sql("delete from tandem.changes");
    await app.addComment(task, "Seen on the site");
    await drainChanges(app.tandem.services);
    await app.sql("delete from tasks");
    await app.settle();
    expect(app.writes()).toBe(0);
    expect(await app.sql("select from tandem.events_live")).toEqual([]);
  });
});
