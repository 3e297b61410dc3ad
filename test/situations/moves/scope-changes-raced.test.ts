/** Two drains at once, each of which has seen the task, or the comment, in another place. */
import { expect, it } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import type { Store, StoreTransaction } from "../../../src/store/store.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import {
  APP,
  expectAtRest,
  givenComments,
  givenPaired,
  issuesOf,
  moveTo,
  type Pair,
  said,
  SITE,
  storyAt,
  unfinished,
} from "../../harness/projects.ts";

/** Drains, and lets something happen between its look at records and lanes and its locks. */
async function drainSlowly(app: Pair, meanwhile: () => Promise<unknown>): Promise<void> {
  const { services } = app.tandem;
  let isFirst = true;
  const store: Store = {
    ...services.store,
    transaction: (work, beginning) =>
      services.store.transaction((tx, seen) => {
        const slow: StoreTransaction = {
          ...tx,
          async lockLanes(ids) {
            if (isFirst) {
              isFirst = false;
              await meanwhile();
            }
            return tx.lockLanes(ids);
          },
        };
        return work(slow, seen);
      }, beginning),
  };
  await drainChanges({ ...services, store });
}

// The concurrent write needs a transaction of its own, which PGlite cannot run.
describeOnOneDatabase("a task that is moved while it is drained", (open, kind) => {
  it.runIf(kind === "postgres")("back: it keeps its issue, and gets no other", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    await drainSlowly(app, async () => {
      await moveTo(app, "1");
      await drainChanges(app.tandem.services);
    });
    await app.settleWithin(1);

    expect(await app.task()).toMatchObject({ project_id: "1" });
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual([]);
    expect(app.writes()).toBe(0);
    await expectAtRest(app);
  });

  it.runIf(kind === "postgres")("on to where nothing is connected: none is made", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "3");
    await app.settle();
    app.github.clearRequests();
    await moveTo(app, "2");
    await drainSlowly(app, async () => {
      await moveTo(app, "3");
      await drainChanges(app.tandem.services);
    });
    await app.settleWithin(1);

    expect(await app.task()).toMatchObject({ project_id: "3" });
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual([]);
    expect(app.writes()).toBe(0);
    await expectAtRest(app);
  });

  it.runIf(kind === "postgres")("back and away again: none is opened twice", async () => {
    const app = await givenPaired(await open());
    await moveTo(app, "2");
    await app.settle();
    app.github.clearRequests();
    await moveTo(app, "1");
    await drainSlowly(app, async () => {
      await moveTo(app, "2");
      await drainChanges(app.tandem.services);
    });
    await app.settleWithin(1);

    expect(await app.task()).toMatchObject({ project_id: "2" });
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    // The closed issue is not reopened on the way, and is closed once more when the task leaves.
    expect(app.writes()).toBe(1);
    await expectAtRest(app);
  });

  it.runIf(kind === "postgres")(
    "back and away to nowhere: what was closed stays closed",
    async () => {
      const app = await givenPaired(await open());
      await moveTo(app, "3");
      await app.settle();
      app.github.clearRequests();
      await moveTo(app, "1");
      await drainSlowly(app, async () => {
        await moveTo(app, "3");
        await drainChanges(app.tandem.services);
      });
      await app.settleWithin(1);

      expect(await app.task()).toMatchObject({ project_id: "3" });
      expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
      expect(app.writes()).toBe(1);
      expect(app.reads()).toBe(1);
      await expectAtRest(app);
    },
  );

  it.runIf(kind === "postgres")("for an edit that was made before: it arrives there", async () => {
    const app = await givenPaired(await open());
    await app.editTask(app.taskId, { title: "Edited before" });
    await drainSlowly(app, async () => {
      await moveTo(app, "2");
      await drainChanges(app.tandem.services);
    });
    await app.settleWithin(1);

    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Edited before"]);
    // Nothing of the edit is told as ignored at the issue that it was not made for.
    expect(await storyAt(app, SITE)).not.toContain("outbound ignored record_moved");
    expect(app.writes()).toBe(2);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a comment that is moved while it is drained", (open, kind) => {
  it.runIf(kind === "postgres")("back: it stays where it was said, and nowhere else", async () => {
    const app = await givenComments(await open());
    const other = await app.addTask({ title: "The other", project_id: "2" });
    await app.settle();
    await app.advance(60_000);
    await app.tandem.syncNow();
    await app.settle();
    app.github.clearRequests();
    const put = (task: string) => app.sql("update comments set task_id = $1 where id = 2", [task]);
    await put(other);
    await drainSlowly(app, async () => {
      await put(app.taskId);
      await drainChanges(app.tandem.services);
    });
    await app.settleWithin(1);

    expect(said(app, SITE)).toEqual(["I see it too.", "On it."]);
    expect(said(app, APP)).toEqual([]);
    expect(await app.comments()).toMatchObject([{}, { id: "2", task_id: app.taskId }]);
    expect(app.writes()).toBe(0);
    const live = await unfinished(app);
    expect(live).toEqual([]);
  });

  it.runIf(kind === "postgres")("on to a task that is nowhere: it waits for nothing", async () => {
    const app = await givenPaired(await open());
    const nowhere = await app.addTask({ title: "Nowhere", project_id: "3" });
    await app.addComment(nowhere, "On it.");
    await app.settle();
    const put = (task: string) => app.sql("update comments set task_id = $1 where id = 1", [task]);
    await put(app.taskId);
    await drainSlowly(app, async () => {
      await put(nowhere);
      await drainChanges(app.tandem.services);
    });
    await app.settleWithin(1);

    expect(said(app, SITE)).toEqual([]);
    expect(app.writes()).toBe(0);
    const live = await unfinished(app);
    expect(live).toEqual([]);
  });
});
