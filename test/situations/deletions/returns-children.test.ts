/** An issue that was taken for deleted and is alive: what was said on either side follows it. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import {
  hideForASweep,
  onDeletion,
  type Policy,
  restInStep,
  sweep,
  tellOfADeletion,
} from "../../harness/wrong-deletions.ts";

/** An issue of Mona's with a comment of hers and one from here, in step for a minute. */
async function givenTalk(database: TestDatabase, policy: Policy = "archive") {
  const app = await givenSampleTandem(database, onDeletion(policy));
  app.github.as("mona").openIssue(app.repo, { title: "Talk" });
  await app.settle();
  app.github.as("mona").comment(app.repo, 1, "There");
  await app.addComment((await app.task()).id, "Here");
  await restInStep(app);
  return app;
}

/** For one sweep neither the issue nor its comments are to be seen. */
async function hideTalk(app: SampleTandem): Promise<void> {
  for (const { id } of app.github.comments(app.repo)) {
    const path = new RegExp(`/comments/${String(id)}$`);
    app.github.failNext({ method: "GET", path, with: 404 });
  }
  await hideForASweep(app, 1);
}

const said = async (app: SampleTandem) =>
  (await app.comments()).map(({ markdown }) => markdown).sort();

describeOnOneDatabase("the comments of an issue that is alive after all", (open) => {
  it("were hidden as well: they are back with it, each once", async () => {
    const app = await givenTalk(await open());
    await hideTalk(app);
    expect((await app.task()).deleted_at).not.toBeNull();
    expect(await app.comments()).toEqual([]);

    await sweep(app);
    const { id, deleted_at } = await app.task();
    expect(deleted_at).toBeNull();
    expect(await said(app)).toEqual(["Here", "There"]);
    expect((await app.comments()).map(({ task_id }) => task_id)).toEqual([id, id]);
    // Two lists, the issue and the comments by id.
    expect(app.reads()).toBe(5);
    await sweep(app);
    expect(await said(app)).toEqual(["Here", "There"]);
    expect(app.reads()).toBe(7);
    expect(app.github.comments(app.repo)).toHaveLength(2);
    expect(app.writes()).toBe(0);
  });

  it("were made on both sides while it was taken for deleted: they follow, each once", async () => {
    const app = await givenTalk(await open());
    await tellOfADeletion(app);
    const { id } = await app.task();
    app.github.as("mona").comment(app.repo, 1, "There meanwhile");
    await app.settle();
    expect((await app.story()).at(-1)).toBe("inbound ignored parent_deleted");
    await app.addComment(id, "Here meanwhile");
    await app.settle();
    await app.advance(60_000);
    app.github.clearRequests();

    await sweep(app);
    const all = ["Here", "Here meanwhile", "There", "There meanwhile"];
    expect(await said(app)).toEqual(all);
    expect(app.github.comments(app.repo)).toHaveLength(4);
    expect(app.writes()).toBe(1);
    await sweep(app);
    expect(await said(app)).toEqual(all);
    expect(app.writes()).toBe(1);
  });

  it("are in the plan of a reconcile, which says what it does", async () => {
    const app = await givenTalk(await open());
    await tellOfADeletion(app);
    app.github.as("mona").comment(app.repo, 1, "There meanwhile");
    await app.settle();
    await app.addComment((await app.task()).id, "Here meanwhile");
    await app.settle();
    await app.advance(60_000);
    const events = await app.events();

    const dry = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(dry.actions.map(({ kind, recordType }) => `${kind} ${recordType}`)).toEqual([
      "restore_record tasks",
      "create_record comments",
      "create_resource comments",
    ]);
    expect(await app.events()).toEqual(events);
    const live = await app.tandem.reconcile(app.connection.id);
    expect(live.actions).toEqual(dry.actions);
    await app.settle();
    expect(await said(app)).toEqual(["Here", "Here meanwhile", "There", "There meanwhile"]);
    expect(app.github.comments(app.repo)).toHaveLength(4);
    const done = (await app.events()).slice(events.length);
    const ended = done.filter(({ state }) => state === "completed").map(({ reason }) => reason);
    expect(ended.sort()).toEqual(["created_record", "created_resource", "resource_returned"]);
    const again = await app.tandem.reconcile(app.connection.id);
    expect(again.actions).toEqual([]);
  });

  it("went with their task, and nobody wished them away: they stay at GitHub and come back", async () => {
    const app = await givenTalk(await open(), "delete");
    await hideForASweep(app, 1);
    expect(await app.tasks()).toEqual([]);
    expect(await app.comments()).toEqual([]);
    expect(app.github.comments(app.repo)).toHaveLength(2);
    const [first] = await app.events("direction=outbound&state=ignored");
    expect(first).toMatchObject({ action: "delete", reason: "parent_deleted" });

    await sweep(app);
    const { id } = await app.task();
    expect(await said(app)).toEqual(["Here", "There"]);
    expect((await app.comments()).map(({ task_id }) => task_id)).toEqual([id, id]);
    expect(app.reads()).toBe(5);
    await sweep(app);
    expect(await said(app)).toEqual(["Here", "There"]);
    expect(app.github.comments(app.repo)).toHaveLength(2);
    expect(app.github.calls({ writes: true })).toBe(0);
  });

  it("are archived with their task if the issue is really deleted, and GitHub is asked for nothing", async () => {
    const app = await givenTalk(await open(), "delete");
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();
    expect(await app.tasks()).toEqual([]);
    expect(await app.comments()).toEqual([]);
    expect(app.writes()).toBe(0);
    await app.advance(60_000);
    await sweep(app);
    expect(await app.tasks()).toEqual([]);
    expect(app.reads()).toBe(2);
    expect(app.writes()).toBe(0);
  });

  it("that the app itself deletes are deleted at GitHub, however their issue fares", async () => {
    const app = await givenTalk(await open());
    await tellOfADeletion(app);
    await app.sql("delete from comments where markdown = 'Here'");
    await app.settle();
    expect(app.github.comments(app.repo)).toMatchObject([{ body: "There" }]);
    expect(app.writes()).toBe(1);
  });

  it("stay away where it stays closed for its deleted task", async () => {
    const app = await givenTalk(await open());
    await app.sql("delete from tasks");
    await app.settle();
    await app.advance(60_000);
    app.github.clearRequests();
    await sweep(app);
    expect(app.reads()).toBe(2);
    expect(await app.comments()).toEqual([]);
  });
});
