/** The comments of a task move with it if the app moves it; and a comment that is moved by itself. */
import { expect, it } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest } from "../../harness/in-flight.ts";
import {
  APP,
  expectAtRest,
  givenComments,
  issuesOf,
  moveTo,
  said,
  SITE,
  transfer,
  unfinished,
} from "../../harness/projects.ts";

describeOnOneDatabase("the comments of a task that is moved", (open) => {
  it("are created below its new issue, once, and stay below the old one", async () => {
    const app = await givenComments(await open());
    await moveTo(app, "2");
    await app.settle();

    expect(said(app, SITE)).toEqual(["I see it too.", "On it."]);
    expect(said(app, APP)).toEqual(["I see it too.", "On it."]);
    expect(await app.comments()).toMatchObject([
      { id: "1", task_id: app.taskId, markdown: "I see it too." },
      { id: "2", task_id: app.taskId, markdown: "On it." },
    ]);
    for (const id of ["1", "2"]) {
      const story = await app.story(`record=comments:${id}`);
      expect(story).toContain("outbound completed moved_with_parent");
      expect(story.filter((one) => one === "outbound completed created_resource")).toHaveLength(
        id === "1" ? 1 : 2,
      );
    }
    // The issue is closed, and one made, with two comments.
    expect(app.writes()).toBe(4);
    await expectAtRest(app);
    expect(said(app, SITE)).toHaveLength(2);
    expect(said(app, APP)).toHaveLength(2);
  });

  it("that were edited and not sent are sent as they are by now", async () => {
    const app = await givenComments(await open());
    app.github.faults.api.refuseConnections = true;
    await app.sql("update comments set markdown = 'Done.' where id = 2");
    await app.addComment(app.taskId, "Not sent yet.");
    await app.settle();
    await moveTo(app, "2");
    await app.settle();
    app.github.faults.api.refuseConnections = false;
    app.github.clearRequests();
    await app.settleWithin(10);

    expect(said(app, SITE)).toEqual(["I see it too.", "On it."]);
    expect([...said(app, APP)].sort()).toEqual(["Done.", "I see it too.", "Not sent yet."]);
    expect(app.writes()).toBe(5);
    await expectAtRest(app);
  });

  it("that are made or edited at the old issue afterwards are ignored for the move", async () => {
    const app = await givenComments(await open());
    await moveTo(app, "2");
    await app.settle();
    const [first] = app.github.comments(SITE);
    await app.advance(5_000);
    app.github.as("mona").editComment(SITE, first?.id ?? 0, "Said later.");
    // One after the other: webhooks that leave at once may arrive in any order.
    await app.settle();
    app.github.as("mona").comment(SITE, 1, "Anybody here?");
    await app.settle();

    expect((await app.comments()).map(({ markdown }) => markdown)).toEqual([
      "I see it too.",
      "On it.",
    ]);
    expect(said(app, APP)).toEqual(["I see it too.", "On it."]);
    const late = (await app.events("direction=inbound")).filter(
      ({ resource_type, reason }) => resource_type === "issue_comment" && reason === "record_moved",
    );
    expect(late).toMatchObject([
      {
        state: "ignored",
        conflicts: [{ field: "body", lost: "Said later.", why: "record_moved" }],
      },
      { state: "ignored", ignored_for_type: "tasks", ignored_for_id: app.taskId },
    ]);
    expect(app.writes()).toBe(4);
    await expectAtRest(app);
  });

  it("are those of its old issue again when it comes back, and none is made twice", async () => {
    const app = await givenComments(await open());
    await moveTo(app, "2");
    await app.settle();
    await app.advance(5_000);
    await app.addComment(app.taskId, "Said over there.");
    await app.settle();
    await app.advance(5_000);
    await moveTo(app, "1");
    await app.settleWithin(10);

    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    expect(said(app, SITE)).toEqual(["I see it too.", "On it.", "Said over there."]);
    expect(said(app, APP)).toHaveLength(3);
    expect(await app.comments()).toHaveLength(3);
    await expectAtRest(app);

    await app.sql("update comments set markdown = 'Here again.' where id = 2");
    await app.settle();
    expect(said(app, SITE)).toEqual(["I see it too.", "Here again.", "Said over there."]);
    expect(app.writes()).toBe(1);
  });

  it("go nowhere with a task that goes nowhere", async () => {
    const app = await givenComments(await open());
    await moveTo(app, "3");
    await app.settle();
    await app.addComment(app.taskId, "Said nowhere.");
    await app.settle();

    expect(said(app, SITE)).toEqual(["I see it too.", "On it."]);
    expect(app.writes()).toBe(1);
    await expectAtRest(app);
    await moveTo(app, "2");
    await app.settle();
    expect(said(app, APP)).toEqual(["I see it too.", "On it.", "Said nowhere."]);
  });
});

describeOnOneDatabase("a comment that is moved to a task elsewhere", (open) => {
  it("is recreated there and deleted here, and its task and the others stay", async () => {
    const app = await givenComments(await open());
    const other = await app.addTask({ title: "The other", project_id: "2" });
    await app.settle();
    await app.advance(5_000);
    app.github.clearRequests();
    await app.sql("update comments set task_id = $1 where id = 2", [other]);
    await app.settle();

    expect(said(app, SITE)).toEqual(["I see it too."]);
    expect(said(app, APP)).toEqual(["On it."]);
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    const left = (await app.events("record=comments:2")).find(
      ({ reason }) => reason === "moved_to_connection",
    );
    expect(left).toMatchObject({
      state: "completed",
      changes: [{ side: "record", field: "task_id", from: app.taskId, to: other }],
    });
    expect(app.writes()).toBe(2);
    expect(await app.comments()).toHaveLength(2);
  });

  it("that the app puts below another task, while that follows its issue to where it was transferred", async () => {
    const app = await givenComments(await open());
    app.github.as("mona").openIssue(SITE, { title: "Another" });
    await app.settle();
    const another = (await app.tasks()).find(({ title }) => title === "Another")?.id ?? "";
    await moveTo(app, "3");
    await app.settle();
    app.github.clearRequests();
    app.holdWebhooks();
    transfer(app, SITE, 2, APP);
    await app.release(...app.held());
    app.github.clearFaults();
    const follows = await catchRequest(app, { method: "GET", path: /\/issues\/1$/ });
    await app.sql("update comments set task_id = $1 where id = 2", [another]);
    await drainChanges(app.tandem.services);
    await follows.answer();
    await app.settleWithin(10);

    expect(issuesOf(app, APP)).toEqual(["open: Another"]);
    expect(said(app, APP)).toEqual(["On it."]);
    expect(await unfinished(app)).toEqual([]);
    expect(await app.pairings(another)).toMatchObject([{ connection: APP, in_sync: true }]);
  });
});
