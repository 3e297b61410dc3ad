/** Creates whose body leaves no room for the token: their resource is told by answer or content. */
import { expect, it } from "vitest";
import { BODY_LIMIT } from "../../../src/integrations/github/index.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";
import { catchRequest, dieSending, POST_COMMENT, POST_ISSUE } from "../../harness/in-flight.ts";
import { givenSentTask } from "../../harness/sent-tasks.ts";

/** No token fits behind it. */
const FULL = "x".repeat(BODY_LIMIT - 10);
/** How long a resource waits for an open create before its content decides. */
const DEADLINE_MINUTES = 5;

describeOnOneDatabase("creates without room for a token", (open) => {
  it("the echo overtakes the response: it waits, and there is one task and one issue", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Long", markdown: FULL });
    const { land, answer } = await catchRequest(app, POST_ISSUE);
    await land();
    expect(await app.tasks()).toHaveLength(1);
    expect(await app.story()).toEqual([
      "outbound processing being_processed",
      "inbound queued awaiting_intent",
    ]);
    await answer();

    expect(await app.tasks()).toMatchObject([{ id, title: "Long", markdown: FULL }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Long", body: FULL }]);
    const record = `record=tasks:${id}`;
    expect(await app.story(record)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate nothing_new",
    ]);
    const [created, echo] = await app.events(record);
    expect(echo).toMatchObject({ duplicate_of: created?.id, changes: [], conflicts: [] });
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("the same for a comment", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    const id = await app.addComment(task, FULL);
    const { land, answer } = await catchRequest(app, POST_COMMENT);
    await land();
    await answer();

    expect(await app.comments()).toMatchObject([{ id, markdown: FULL, author_id: "1" }]);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(await app.story(`record=comments:${id}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate nothing_new",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("the answer was lost, the POST applied: the issue is found by its content, once", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    const id = await app.addTask({ title: "Long", markdown: FULL });
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id, title: "Long", owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story()).toEqual(["outbound completed adopted_resource"]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);

    // Nothing says that it is ours but the pairing, and nothing takes it for surplus.
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(app.writes()).toBe(1);
  });

  it("the same where the echo waits by then", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    const id = await app.addTask({ title: "Long", markdown: FULL });
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id, title: "Long" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story(`record=tasks:${id}`)).toEqual([
      "outbound completed adopted_resource",
      "inbound duplicate nothing_new",
    ]);
    expect(app.writes()).toBe(1);
    // The list, and the echo's look.
    expect(app.reads()).toBe(2);
  });

  it("the answer was lost, the POST never arrived: it is sent again", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied: false });
    const id = await app.addTask({ title: "Long", markdown: FULL });
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id, title: "Long" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);
  });

  it("its worker died before the answer: its successor finds the issue, whose echo waited", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Long", markdown: FULL });
    const hold = await dieSending(app, POST_ISSUE);
    hold.apply();
    await app.settle();
    expect(await app.story()).toEqual([
      "outbound processing being_processed",
      "inbound queued awaiting_intent",
    ]);
    await app.advance(60_000);
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, title: "Long" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story(`record=tasks:${id}`)).toEqual([
      "outbound completed adopted_resource",
      "inbound duplicate nothing_new",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(2);
  });

  it("another person's issue of the same content becomes a task of its own, and waits for nobody", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Long", markdown: FULL });
    const { answer } = await catchRequest(app, POST_ISSUE);
    app.github.as("mona").openIssue(app.repo, { title: "Long", body: FULL });
    await app.settle();
    expect((await app.tasks()).map(({ title }) => title)).toEqual(["Long", "Long"]);
    await answer();

    const [ours, theirs] = await app.tasks();
    expect(await app.pairings(ours?.id ?? "")).toMatchObject([{ integration_external_id: "2" }]);
    expect(await app.pairings(theirs?.id ?? "")).toMatchObject([{ integration_external_id: "1" }]);
    expect(ours?.id).toBe(id);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound completed created_record",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(0);
  });

  it("an event that waited in vain continues as soon as the answer arrives", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Long", markdown: FULL });
    const { answer } = await catchRequest(app, POST_ISSUE);
    app.github.as(TEST_LOGIN).openIssue(app.repo, { title: "By another program" });
    await app.settle();
    expect(await app.tasks()).toHaveLength(1);
    await answer();

    expect((await app.tasks()).map(({ title }) => title)).toEqual(["Long", "By another program"]);
    expect(app.github.issues(app.repo)).toHaveLength(2);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(0);

    // It is known by now, so it waits for no later create.
    await app.advance(5_000);
    await app.addTask({ title: "Long, too", markdown: FULL });
    const later = await catchRequest(app, POST_ISSUE);
    const other = app.github.issues(app.repo).find(({ title }) => title === "By another program");
    app.github.as("mona").editIssue(app.repo, other?.number ?? 0, { title: "Edited since" });
    await app.settle();
    expect((await app.tasks()).map(({ title }) => title)).toContain("Edited since");
    await later.answer();
  });

  it("another person's issue of the same content is not taken for ours if the answer was lost", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied: false });
    await app.addTask({ title: "Long", markdown: FULL });
    // No webhook reports it, so the look is the first to see it.
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "Long", body: FULL });
    await app.settleWithin(1);
    expect(app.github.issues(app.repo)).toHaveLength(2);
    await app.tandem.syncNow();
    await app.settle();

    const [ours, theirs] = await app.tasks();
    expect(await app.pairings(ours?.id ?? "")).toMatchObject([{ integration_external_id: "2" }]);
    expect(await app.pairings(theirs?.id ?? "")).toMatchObject([{ integration_external_id: "1" }]);
    expect(app.writes()).toBe(2);
  });

  it("the deadline passes while the create is open: its content says whose it is, and what is not ours goes on", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    const id = await app.addTask({ title: "Long", markdown: FULL });
    await app.settle();
    app.github.faults.api.down = true;
    // Another program writes under our account.
    app.github.as(TEST_LOGIN).openIssue(app.repo, { title: "By another program" });
    await app.settle();
    const waiting = (await app.events()).filter(({ direction }) => direction === "inbound");
    expect(waiting).toMatchObject([
      { state: "queued", reason: "awaiting_intent", integration_external_id: "1" },
      { state: "queued", reason: "awaiting_intent", integration_external_id: "2" },
    ]);
    expect(await app.tasks()).toHaveLength(1);

    await app.settleWithin(DEADLINE_MINUTES + 1);
    expect((await app.tasks()).map(({ title }) => title)).toEqual(["Long", "By another program"]);
    app.github.faults.api.down = false;
    await app.settleWithin(60);

    expect(await app.tasks()).toHaveLength(2);
    expect(app.github.issues(app.repo)).toHaveLength(2);
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
    expect(await app.story(`record=tasks:${id}`)).toEqual([
      "outbound completed nothing_to_send",
      "inbound completed agreed",
    ]);
    expect(app.github.calls({ ...POST_ISSUE })).toBe(1);
  });

  it("two tasks of one content, both answers on their way: each gets the issue its answer names", async () => {
    const app = await givenSampleTandem(await open());
    const first = await app.addTask({ title: "Twin", markdown: FULL });
    const one = await catchRequest(app, POST_ISSUE);
    const second = await app.addTask({ title: "Twin", markdown: FULL });
    const two = await catchRequest(app, POST_ISSUE);
    two.hold.apply();
    one.hold.apply();
    await app.settle();
    one.hold.release();
    two.hold.release();
    await Promise.all([one.done, two.done]);
    await app.settle();

    expect((await app.tasks()).map(({ id }) => id)).toEqual([first, second]);
    expect(await app.pairings(first)).toMatchObject([{ integration_external_id: "2" }]);
    expect(await app.pairings(second)).toMatchObject([{ integration_external_id: "1" }]);
    expect(app.writes()).toBe(2);
  });

  it("one of two creates of one content got lost and takes what the other made: each ends with one issue", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied: false });
    const first = await app.addTask({ title: "Twin", markdown: FULL });
    await app.settle();
    const second = await app.addTask({ title: "Twin", markdown: FULL });
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    hold.apply();
    // The first one's retry finds the second one's issue, and nothing tells them apart.
    await app.advance(5_000);
    await app.settle();
    expect(await app.pairings(first)).toMatchObject([{ integration_external_id: "1" }]);
    hold.release();
    await done;
    await app.settleWithin(1);

    expect(app.github.issues(app.repo).map(({ number }) => number)).toEqual([1, 2]);
    expect(await app.pairings(second)).toMatchObject([
      { integration_external_id: "2", in_sync: true },
    ]);
    expect(await app.story()).toEqual([
      "outbound completed adopted_resource",
      "outbound completed created_resource",
    ]);
    expect(app.writes()).toBe(3);
    expect(app.github.calls({ writes: true, applied: true })).toBe(2);
  });

  it("the issue is deleted before the answer arrives: the task is archived, and nothing is recreated", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Long", markdown: FULL });
    const { land, answer } = await catchRequest(app, POST_ISSUE);
    await land();
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();
    await answer();

    expect((await app.task()).deleted_at).not.toBeNull();
    expect(app.github.issues(app.repo)).toEqual([]);
    const removal = (await app.events()).find(({ action }) => action === "delete");
    expect(removal).toMatchObject({ state: "completed", reason: "archived_record" });
    expect(app.writes()).toBe(1);
  });

  it("the task is deleted while the outcome is unknown: its issue is found by its content and closed", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    const id = await app.addTask({ title: "Long", markdown: FULL });
    await app.settle();
    await app.sql("delete from tasks where id = $1", [id]);
    await app.settleWithin(1);

    expect(await app.tasks()).toEqual([]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "closed" }]);
    expect(app.writes()).toBe(2);
  });
});

describeOnOneDatabase("a create without room for a token that nothing comes of", (open) => {
  /** Its answer was lost, and the look for it was refused; so it stays until somebody restarts it. */
  async function givenFailedCreate(applied: boolean) {
    const app = await givenSampleTandem(await open());
    app.holdWebhooks();
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied });
    app.github.failNext({ method: "GET", path: /\/issues$/, with: 422 });
    const id = await app.addTask({ title: "Long", markdown: FULL });
    await app.settleWithin(1);
    expect(await app.story()).toEqual(["outbound errored failed"]);
    await app.advance(DEADLINE_MINUTES * 60_000);
    return { app, id };
  }

  it("delays nobody's issue once it failed permanently", async () => {
    const { app } = await givenFailedCreate(false);
    app.github.as(TEST_LOGIN).openIssue(app.repo, { title: "By another program" });
    await app.release(...app.held());
    await app.settle();

    expect((await app.tasks()).map(({ title }) => title)).toEqual(["Long", "By another program"]);
    expect(app.writes()).toBe(1);
  });

  it("has what it made told by its content all the same, at once", async () => {
    const { app, id } = await givenFailedCreate(true);
    await app.release(...app.held());
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, title: "Long" }]);
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(app.writes()).toBe(1);
  });

  it("delays what waits for it no longer than until it is known to have made nothing", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied: false });
    const id = await app.addTask({ title: "Long", markdown: FULL });
    await app.settle();
    app.github.as(TEST_LOGIN).openIssue(app.repo, { title: "By another program" });
    await app.settle();
    expect((await app.story()).at(-1)).toBe("inbound queued awaiting_intent");
    // The look before the removal finds nothing, and nothing is sent any more.
    await app.sql("delete from tasks where id = $1", [id]);
    await app.settle();

    expect((await app.tasks()).map(({ title }) => title)).toEqual(["By another program"]);
  });
});

describeOnOneDatabase("a token in the wrong place", (open) => {
  it("an issue's token in a comment of ours names no comment: it is one of its own", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Paired" });
    await app.settle();
    const [issue] = app.github.issues(app.repo);
    app.github.as(TEST_LOGIN).comment(app.repo, 1, `Copied\n\n${issue?.body ?? ""}`);
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();

    expect(await app.comments()).toMatchObject([{ markdown: "Copied" }]);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect((await app.story()).at(-1)).toBe("inbound completed created_record");
    expect(app.writes()).toBe(1);
  });
});
