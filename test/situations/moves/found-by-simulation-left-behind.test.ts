/** Remains of transfers at the issue's old place, as simulated histories found them. */
import { expect, it } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import {
  APP,
  ELSEWHERE,
  expectAtRest,
  givenComments,
  givenElsewhere,
  issuesOf,
  moveTo,
  type Pair,
  said,
  SITE,
  transfer,
  unfinished,
} from "../../harness/projects.ts";

describeOnOneDatabase("an issue that is deleted where it was transferred to", (open) => {
  it("before its comments had followed: they are gone with it, as the sweep finds", async () => {
    const app = await givenComments(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    app.github.as("mona").deleteIssue(APP, 1);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);
    expect((await app.task()).deleted_at).not.toBeNull();
    expect(await app.comments()).toHaveLength(2);

    await app.advance(60_000);
    await app.tandem.sweepNow();
    await app.settle();
    expect(await app.comments()).toEqual([]);
    expect(await app.story()).toContain("inbound completed deleted_record");
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a task that is archived while its issue is on its way", (open) => {
  it("its comments are let go of where the issue was, and come back with the task", async () => {
    const app = await givenComments(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.sql("update tasks set deleted_at = tandem.now()");
    await app.settleWithin(10);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    for (const id of ["1", "2"]) {
      expect(await app.story(`record=comments:${id}`)).toContain("inbound completed moved_away");
    }
    expect(await unfinished(app)).toEqual([]);

    await app.sql("update tasks set deleted_at = null, project_id = 2");
    await app.settleWithin(10);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(said(app, APP)).toEqual(["I see it too.", "On it."]);
    expect(await app.comments()).toHaveLength(2);
    await app.sql("update comments set markdown = 'Done.' where id = 2");
    await app.settle();
    expect(said(app, APP)).toEqual(["I see it too.", "Done."]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a task that is taken back after its issue was transferred", (open) => {
  it("follows it, and its comments are said there and nowhere else", async () => {
    const app = await givenComments(await open());
    await app.sql("update tasks set deleted_at = tandem.now()");
    await app.settle();
    await app.advance(5_000);
    transfer(app, SITE, 1, APP);
    await app.settleWithin(10);
    app.github.clearRequests();

    await app.sql("update tasks set deleted_at = null");
    await app.settleWithin(10);
    expect(await app.task()).toMatchObject({ project_id: "2", deleted_at: null });
    expect([issuesOf(app, SITE), issuesOf(app, APP)]).toEqual([[], ["open: Broken link"]]);
    expect(said(app, APP)).toEqual(["I see it too.", "On it."]);
    expect(await app.comments()).toHaveLength(2);
    expect(await app.story()).toContain("inbound completed followed_move");
    expect(await app.pairings(app.taskId)).toMatchObject([
      { connection: APP, integration_external_id: "1", in_sync: true },
    ]);
    // It is opened again, and that is all.
    expect(app.writes()).toBe(1);
    await app.sql("update comments set markdown = 'Done.' where id = 2");
    await app.settle();
    expect(said(app, APP)).toEqual(["I see it too.", "Done."]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a task that is still to follow its issue", (open) => {
  it.each([false, true])(
    "gets no other from a reconcile of where it was, archived meanwhile: %s",
    async (isArchived) => {
      const app = await givenComments(await open());
      const there = (await app.status()).connections[1]?.id as typeof app.connection.id;
      if (isArchived) await app.sql("update tasks set deleted_at = tandem.now()");
      await app.settle();
      await app.tandem.pause(there, "a person has paused it");
      transfer(app, SITE, 1, APP);
      await app.settle();
      await untold(app, "update tasks set deleted_at = null");
      const planned = await app.tandem.reconcile(app.connection.id, { dryRun: true });
      expect(planned.actions).toEqual([]);
      await app.tandem.reconcile(app.connection.id);
      await app.settle();
      expect(issuesOf(app, SITE)).toEqual([]);

      await app.tandem.enable(there);
      if (isArchived) await app.sql("update tasks set deleted_at = null, title = 'Dead link'");
      await app.settleWithin(10);
      expect(await app.task()).toMatchObject({ project_id: "2", deleted_at: null });
      const title = isArchived ? "Dead link" : "Broken link";
      expect([issuesOf(app, SITE), issuesOf(app, APP)]).toEqual([[], [`open: ${title}`]]);
      expect(said(app, APP)).toEqual(["I see it too.", "On it."]);
      await expectAtRest(app);
    },
  );
});

/** Writes where no trigger fires, as replication and a restore do. */
async function untold(app: Pair, sql: string): Promise<void> {
  await app.sql("alter table tasks disable trigger user");
  await app.sql(sql);
  await app.sql("alter table tasks enable trigger user");
}

/** Another task of project 1, with an issue; its id. */
async function anotherTask(app: Pair): Promise<string> {
  app.github.as("mona").openIssue(SITE, { title: "Dead link" });
  await app.settle();
  const other = (await app.tasks()).find(({ title }) => title === "Dead link");
  return other?.id ?? "";
}

describeOnOneDatabase("a comment that the app has put below another task", (open) => {
  it.each([ELSEWHERE, APP])(
    "stays when the first task leaves its issue and that moves to %s, and is posted again by its next edit",
    async (repository) => {
      const app = await givenElsewhere(await open());
      const other = await anotherTask(app);
      await app.sql("update comments set task_id = $1 where id = 2", [other]);
      await app.settle();
      await moveTo(app, "3");
      await app.settle();
      transfer(app, SITE, 1, repository);
      await app.settleWithin(10);
      expect((await app.story("record=comments:2")).at(-1)).toBe("inbound completed moved_away");

      await app.advance(60_000);
      await app.tandem.sweepNow();
      await app.settle();
      expect((await app.comments()).map(({ markdown }) => markdown)).toEqual([
        "I see it too.",
        "On it.",
      ]);
      expect(said(app, repository)).toEqual(["I see it too.", "On it."]);
      expect([issuesOf(app, SITE), said(app, SITE)]).toEqual([["open: Dead link"], []]);

      await app.sql("update comments set markdown = 'Done.' where id = 2");
      await app.settleWithin(10);
      expect(said(app, SITE)).toEqual(["Done."]);
      expect(said(app, repository)).toEqual(["I see it too.", "On it."]);
      expect(await app.comments()).toHaveLength(2);
      expect(await unfinished(app)).toEqual([]);
    },
  );

  it.each([ELSEWHERE, APP])(
    "just after the transfer to %s was followed is not taken for deleted by a sweep",
    async (repository) => {
      const app = await givenElsewhere(await open());
      const other = await anotherTask(app);
      await moveTo(app, "3");
      await drainChanges(app.tandem.services);
      transfer(app, SITE, 1, repository);
      await app.advance(1_000);
      await translateDeliveries(app.tandem.services, null);
      // The task's comments were noted, and no worker has looked at them yet.
      await app.sql("update comments set task_id = $1 where id = 2", [other]);
      await app.settleWithin(10);

      await app.advance(60_000);
      await app.tandem.sweepNow();
      await app.settle();
      expect(await app.comments()).toHaveLength(2);
      await app.sql("update comments set markdown = 'Done.' where id = 2");
      await app.settleWithin(10);
      expect(await app.comments()).toHaveLength(2);
      expect(said(app, SITE)).toEqual(["Done."]);
      expect(await unfinished(app)).toEqual([]);
    },
  );
});

describeOnOneDatabase("a task that goes where the issue is that it had left", (open) => {
  it("has its issue back, with what was said below it, and nothing is said twice", async () => {
    const app = await givenComments(await open());
    await moveTo(app, "3");
    await app.settle();
    transfer(app, SITE, 1, APP);
    await app.settleWithin(10);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    await app.sql("update comments set markdown = 'On it now.' where id = 2");
    await moveTo(app, "2");
    await app.settleWithin(10);

    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(said(app, APP)).toEqual(["I see it too.", "On it now."]);
    expect(await app.comments()).toHaveLength(2);
    // Closed and opened, and a comment is edited.
    expect(app.writes()).toBe(3);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});
