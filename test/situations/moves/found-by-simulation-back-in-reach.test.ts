/** Children of an issue that was out of reach, and is back: schedules of simulated histories, each told alone. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { POST_COMMENT } from "../../harness/in-flight.ts";
import {
  APP,
  ELSEWHERE,
  expectAtRest,
  givenElsewhere,
  issuesOf,
  moveTo,
  type Pair,
  said,
  SITE,
  transfer,
  unfinished,
} from "../../harness/projects.ts";

const SAID = ["I see it too.", "On it."];

/** A third comment, which GitHub did not take yet. */
async function givenUnsent(database: TestDatabase, answer: 422 | 503): Promise<Pair> {
  const app = await givenElsewhere(database);
  app.github.failNext({ ...POST_COMMENT, with: answer });
  await app.addComment(app.taskId, "Not said yet.");
  await app.settle();
  expect(await unfinished(app)).toMatchObject([{ reason: answer === 422 ? "failed" : "retry" }]);
  return app;
}

/** The issue is out of reach for an hour: nobody waits for it. */
async function expectEnded(app: Pair): Promise<void> {
  await app.settleWithin(60);
  expect((await app.story("record=comments:3")).at(-1)).toBe("outbound ignored parent_deleted");
  expect(await unfinished(app)).toEqual([]);
  expect(app.github.calls(POST_COMMENT)).toBe(1);
}

async function expectSaid(
  app: Pair,
  before: readonly string[] = [],
  last = "Not said yet.",
): Promise<void> {
  await app.settleWithin(10);
  expect(await app.task()).toMatchObject({ project_id: "1", deleted_at: null });
  expect(app.github.comments(SITE, 2)).toHaveLength(3);
  expect(said(app, SITE)).toEqual([...SAID, last]);
  expect(await app.comments()).toHaveLength(3);
  expect(await app.story("record=comments:3")).toEqual([
    ...before,
    "outbound completed created_resource",
    "inbound duplicate same_content",
  ]);
  expect(app.github.calls(POST_COMMENT)).toBe(2);
  expect(await unfinished(app)).toEqual([]);
  await expectAtRest(app);
}

describeOnOneDatabase("a comment that was not said when its issue went out of reach", (open) => {
  it("is said below it once that is back in its repository, though it was refused before", async () => {
    const app = await givenUnsent(await open(), 422);
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settle();
    transfer(app, ELSEWHERE, 1, SITE);

    await expectSaid(app);
  });

  it("is said, too, where nobody waits for that any more", async () => {
    const app = await givenUnsent(await open(), 503);
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settle();
    await expectEnded(app);
    transfer(app, ELSEWHERE, 1, SITE);

    await expectSaid(app, ["outbound ignored parent_deleted"]);
  });

  it("is said, too, where the issue went by way of another project before that was followed", async () => {
    const app = await givenUnsent(await open(), 503);
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    transfer(app, APP, 1, ELSEWHERE);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.sql("update comments set markdown = 'Said late.' where id = 3");
    await app.settle();
    await expectEnded(app);
    transfer(app, ELSEWHERE, 1, SITE);

    await expectSaid(
      app,
      ["outbound canceled superseded", "outbound ignored parent_deleted"],
      "Said late.",
    );
  });
});

describeOnOneDatabase("a comment that was not said, and whose task is moved meanwhile", (open) => {
  it("waits while the issue is out of reach, and is said where that is back", async () => {
    const app = await givenUnsent(await open(), 503);
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    transfer(app, APP, 1, ELSEWHERE);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settle();
    await moveTo(app, "2");
    await expectEnded(app);
    expect(app.writes()).toBe(1);
    transfer(app, ELSEWHERE, 1, APP);
    await app.settleWithin(10);
    expect(await app.task()).toMatchObject({ project_id: "2" });
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(said(app, APP)).toEqual([...SAID, "Not said yet."]);
    expect(await app.comments()).toHaveLength(3);
    expect(app.writes()).toBe(2);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a task that is taken back while its issue goes out of reach", (open) => {
  it("gets another issue, and what was said below the first is said there", async () => {
    const app = await givenElsewhere(await open());
    app.github.failNext({ method: "GET", path: /\/issues\/\d+$/, with: 503 });
    // Nothing is done to the issue between the two moves.
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await moveTo(app, "3");
    await app.settle();
    await moveTo(app, "1");
    await app.settle();
    await app.tandem.enable(app.connection.id);
    await app.settle();
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settleWithin(10);

    for (const id of ["1", "2"]) {
      const story = await app.story(`record=comments:${id}`);
      expect(story.slice(-3)).toEqual([
        "inbound completed moved_away",
        "outbound completed created_resource",
        "inbound duplicate same_content",
      ]);
    }
    expect(await app.task()).toMatchObject({ project_id: "1", deleted_at: null });
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(said(app, SITE)).toEqual(SAID);
    expect(await app.comments()).toHaveLength(2);
    expect(app.writes()).toBe(3);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("gets no other by being edited while its issue is out of reach", async () => {
    const app = await givenElsewhere(await open());
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settle();
    await app.editTask(app.taskId, { title: "Edited here" });
    await app.settleWithin(10);

    expect(issuesOf(app, SITE)).toEqual([]);
    expect(app.writes()).toBe(0);
    expect(await unfinished(app)).toEqual([]);
  });
});

describeOnOneDatabase("an issue that is back when its task has another one elsewhere", (open) => {
  async function givenAnother(database: TestDatabase): Promise<Pair> {
    const app = await givenElsewhere(database);
    transfer(app, SITE, 1, ELSEWHERE);
    await app.settle();
    await moveTo(app, "2");
    await app.settleWithin(10);
    expect(said(app, APP)).toEqual(SAID);
    app.github.clearRequests();
    return app;
  }

  it("is closed as one that the task has left, and is its issue again once that returns", async () => {
    const app = await givenAnother(await open());
    transfer(app, ELSEWHERE, 1, SITE);
    await app.settleWithin(10);
    expect(await app.task()).toMatchObject({ project_id: "2" });
    expect((await app.story()).slice(-3)).toEqual([
      "inbound ignored record_moved",
      "outbound completed moved_to_connection",
      "inbound ignored record_moved",
    ]);
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    expect(app.writes()).toBe(1);
    await expectAtRest(app);

    await moveTo(app, "1");
    await app.settleWithin(10);
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    expect(said(app, SITE)).toEqual(SAID);
    expect(await app.comments()).toHaveLength(2);
    await expectAtRest(app);
  });

  it("holds no place there: the other one follows, and is no second task", async () => {
    const app = await givenAnother(await open());
    app.holdWebhooks();
    transfer(app, ELSEWHERE, 1, SITE);
    transfer(app, APP, 1, SITE);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ project_id: "1" });
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link", "open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual([]);
    expect(await app.comments()).toHaveLength(2);
    // The first is closed, and that is all.
    expect(app.writes()).toBe(1);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});
