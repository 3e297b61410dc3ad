/**
 * What simulated histories ended badly since it was told late, or landed late: what was elsewhere by then,
 * had been closed by then, or was told to somebody who did not know that the connection was on again. Each
 * schedule is told here alone, without the chance.
 */
import { expect, it } from "vitest";
import { describeOnEachDatabase, type TestDatabase } from "../harness/databases.ts";
import {
  APP,
  expectAtRest,
  givenComments,
  givenProjects,
  type Pair,
  SITE,
  unfinished,
} from "../harness/projects.ts";

const ELSEWHERE = "acme/elsewhere";

/** Nothing is paired; webhooks are held. */
async function givenNothing(database: TestDatabase): Promise<Pair> {
  const app = await givenProjects(database);
  app.github.createRepository({ owner: "acme", name: "elsewhere" });
  app.holdWebhooks();
  return { ...app, taskId: "" };
}

const transfer = (app: Pair, from: string, number: number, to: string) =>
  app.github.as("acme").transferIssue(from, number, to);

describeOnEachDatabase("an issue that is transferred before anybody heard of it", (open) => {
  it("what is heard late of its old place makes no second task, and its comments come along", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    app.github.as("mona").comment(SITE, 1, "I see it too.");
    const late = app.held();
    transfer(app, SITE, 1, APP);
    await app.release(...app.held().filter((one) => !late.includes(one)));
    await app.settle();
    await app.release(...late);
    app.github.clearFaults();
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ title: "Misfiled", project_id: "2" }]);
    expect(await app.comments()).toMatchObject([{ markdown: "I see it too." }]);
    await expectAtRest(app);
  });

  it("nor where it went out of reach; it is taken in once it is back", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    const late = app.held();
    transfer(app, SITE, 1, ELSEWHERE);
    await app.release(...app.held().filter((one) => !late.includes(one)));
    await app.settle();
    await app.release(...late);
    app.github.clearFaults();
    await app.settle();
    expect(await app.tasks()).toEqual([]);
    expect(await unfinished(app)).toEqual([]);

    transfer(app, ELSEWHERE, 1, SITE);
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ title: "Misfiled", project_id: "1" }]);
    await expectAtRest(app);
  });

  it("a comment of it is known by what was heard, and waited for until it is there", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    app.github.as("mona").comment(SITE, 1, "I see it too.");
    transfer(app, SITE, 1, APP);
    await app.release(...app.held());
    const headers = { "content-type": "application/json" };
    const nothing = { status: 200, headers, body: "[]" };
    app.github.failNext({ method: "GET", path: /\/issues\/1\/comments$/, with: nothing });
    await app.settle();
    expect(await app.comments()).toEqual([]);
    await app.advance(6_000);
    await app.settle();
    app.github.clearFaults();

    expect(await app.tasks()).toMatchObject([{ title: "Misfiled", project_id: "2" }]);
    expect(await app.comments()).toMatchObject([{ markdown: "I see it too." }]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("one of which nothing was heard, since the connection was paused, is waited for by nobody", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    app.github.as("mona").comment(SITE, 1, "I see it too.");
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.release(...app.held());
    await app.settle();
    await app.tandem.enable(app.connection.id);
    transfer(app, SITE, 1, APP);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ title: "Misfiled", project_id: "2" }]);
    expect(await app.comments()).toMatchObject([{ markdown: "I see it too." }]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("the task that a poll has made of it keeps it, whatever waits at its old place", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    const late = app.held();
    transfer(app, SITE, 1, APP);
    await app.tandem.syncNow();
    await app.settle();
    const { id } = await app.task();
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.release(...late);
    await app.settle();
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settle();
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(await app.task()).toMatchObject({ id, title: "Misfiled", project_id: "2" });
    expect(await app.pairings(id)).toMatchObject([{ connection: APP, in_sync: true }]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});

describeOnEachDatabase("a comment that is not found where its issue went", (open) => {
  it("is waited for once, however much is heard of the issue meanwhile", async () => {
    const app = await givenComments(await open());
    app.holdWebhooks();
    const [comment] = app.github.comments(SITE);
    app.github.as("mona").deleteComment(SITE, comment?.id ?? 0);
    const lost = app.held();
    transfer(app, SITE, 1, APP);
    await app.release(...app.held().filter((one) => !lost.includes(one)));
    app.github.clearFaults();
    await app.settle();
    for (const minute of [1, 2, 3, 4, 5, 6]) {
      await app.advance(60_000);
      app.github.as("mona").editIssue(APP, 1, { title: `Minute ${String(minute)}` });
      await app.settle();
    }

    expect(await app.task()).toMatchObject({ project_id: "2", title: "Minute 6" });
    expect(await app.comments()).toHaveLength(1);
    expect(await unfinished(app)).toEqual([]);
  });
});
