/** A task that is archived in one project, and taken back in another, as simulated histories found it. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
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
  transfer,
} from "../../harness/projects.ts";

async function givenArchived(database: TestDatabase): Promise<Pair> {
  const app = await givenComments(database);
  await app.sql("update tasks set deleted_at = tandem.now()");
  await app.settle();
  expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
  expect(app.writes()).toBe(1);
  await app.advance(5_000);
  return app;
}

const SAID = ["I see it too.", "On it."];

async function expectLeft(app: Pair): Promise<void> {
  await app.settleWithin(10);
  expect(await app.task()).toMatchObject({ project_id: "2", deleted_at: null });
  expect([issuesOf(app, SITE), issuesOf(app, APP)]).toEqual([
    ["closed: Broken link"],
    ["open: Broken link"],
  ]);
  expect([said(app, SITE), said(app, APP)]).toEqual([SAID, SAID]);
  for (const id of ["1", "2"]) {
    const story = await app.story(`record=comments:${id}`);
    expect(story).toContain("outbound completed moved_with_parent");
    expect(story).not.toContain("outbound completed moved_to_connection");
  }
  expect(await storyAt(app, SITE)).toContain("outbound completed closed_resource");
  expect((await storyAt(app, SITE)).at(-1)).toBe("outbound ignored record_moved");
  const [left] = (await app.pairings(app.taskId)).filter(({ connection }) => connection === SITE);
  expect(left?.standing).toContain("The record was moved to another connection");
  // The issue is closed, and another is made with both comments.
  expect(app.writes()).toBe(4);
}

describeOnOneDatabase("a task that is archived, and taken back in another project", (open) => {
  it("has left its issue, and what was said there stays and is said below the new one", async () => {
    const app = await givenArchived(await open());
    await app.sql("update tasks set deleted_at = null, project_id = 2");

    await expectLeft(app);
    await expectAtRest(app);
  });

  it("has left it, too, where it was moved long before", async () => {
    const app = await givenArchived(await open());
    await app.sql("update tasks set project_id = 2");
    await app.settle();
    await app.sql("update tasks set deleted_at = null");

    await expectLeft(app);
    await expectAtRest(app);
  });

  it("comes along with its new issue, and gets that back, not the one that it has left", async () => {
    const app = await givenArchived(await open());
    await app.sql("update tasks set deleted_at = null, project_id = 2");
    await expectLeft(app);
    await app.advance(5_000);
    transfer(app, APP, 1, SITE);
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "1", deleted_at: null });
    const issues = ["closed: Broken link", "open: Broken link"];
    expect(issuesOf(app, SITE)).toEqual(issues);
    await app.sql("update tasks set deleted_at = tandem.now()");
    await app.settle();
    await app.sql("update tasks set deleted_at = null");
    await app.settleWithin(10);
    expect(issuesOf(app, SITE)).toEqual(issues);
    expect(said(app, SITE)).toEqual([...SAID, ...SAID]);
    expect(await app.comments()).toHaveLength(2);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a task that was in another project, and is back", (open) => {
  it("follows its issue there, and gets that back, not the one that was made there before", async () => {
    const app = await givenComments(await open());
    await moveTo(app, "2");
    await app.settle();
    await moveTo(app, "1");
    await app.settle();
    transfer(app, SITE, 1, APP);
    await app.settleWithin(10);
    const issues = ["closed: Broken link", "open: Broken link"];
    expect(issuesOf(app, APP)).toEqual(issues);

    await app.sql("update tasks set deleted_at = tandem.now()");
    await app.settle();
    await app.sql("update tasks set deleted_at = null");
    await app.settleWithin(10);
    expect(issuesOf(app, APP)).toEqual(issues);
    expect(await app.comments()).toHaveLength(2);
    await expectAtRest(app);
  });
});

describeOnOneDatabase(
  "a task that is archived, moved and taken back while all is paused",
  (open) => {
    it.each([
      ["to a project without a repository", "3", []],
      ["to another repository", "2", ["open: Broken link"]],
    ])("%s: it has left its issue", async (_where, project, there) => {
      const app = await givenPaired(await open());
      await app.tandem.pause(app.connection.id, "release day");
      for (const write of [
        "deleted_at = tandem.now()",
        `project_id = ${project}`,
        "deleted_at = null",
      ]) {
        await app.sql(`update tasks set ${write}`);
        await app.settle();
      }
      await app.tandem.enable(app.connection.id);
      await app.settleWithin(10);

      expect(await app.task()).toMatchObject({ project_id: project, deleted_at: null });
      expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
      expect(issuesOf(app, APP)).toEqual(there);
      expect((await storyAt(app, SITE)).join("\n")).toMatch(/^outbound completed moved_/m);
      const [left] = (await app.pairings(app.taskId)).filter(
        ({ connection }) => connection === SITE,
      );
      expect(left?.standing).toContain("The record was moved");
      expect(app.writes()).toBe(1 + there.length);
      await expectAtRest(app);
    });
  },
);
