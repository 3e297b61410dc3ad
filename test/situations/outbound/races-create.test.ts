/** Situations 17 to 21: creates of ours whose answer comes late, never, or to nobody. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";
import {
  catchRequest,
  dieSending,
  outliveSender,
  POST_COMMENT,
  POST_ISSUE,
} from "../../harness/in-flight.ts";
import { givenSentTask } from "../../harness/sent-tasks.ts";

/** How long a comment waits for its issue's record before the issue is read. */
const PARENT_DEADLINE_MS = 5 * 60_000;

describeOnOneDatabase("creates of ours", (open) => {
  it("S17 the echo of a create overtakes the response: one task, one issue", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Overtaken" });
    const { land, answer } = await catchRequest(app, POST_ISSUE);
    await land();
    await answer();

    expect(await app.tasks()).toMatchObject([{ id, title: "Overtaken", owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Overtaken" }]);
    const [created, echo] = await app.events();
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate nothing_new",
    ]);
    expect(created).toMatchObject({ record_id: id, integration_external_id: "1", conflicts: [] });
    expect(echo).toMatchObject({ duplicate_of: created?.id, changes: [], conflicts: [] });
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S17 a comment that waits for the issue goes out as soon as the late response is here", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Overtaken" });
    const { land, answer } = await catchRequest(app, POST_ISSUE);
    await app.addComment(id, "Waiting");
    await app.settle();
    await land();
    await answer();

    expect(app.github.comments(app.repo, 1)).toHaveLength(1);
    expect(await app.comments()).toMatchObject([{ markdown: "Waiting", author_id: "1" }]);
    expect(app.writes()).toBe(2);
  });

  it("S18 the echo of a comment overtakes the response: one comment on each side", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    const id = await app.addComment(task, "Overtaken");
    const { land, answer } = await catchRequest(app, POST_COMMENT);
    await land();
    await answer();

    expect(await app.comments()).toMatchObject([{ id, markdown: "Overtaken", author_id: "1" }]);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    const record = `record=comments:${id}`;
    const [created, echo] = await app.events(record);
    expect(await app.story(record)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate nothing_new",
    ]);
    expect(echo).toMatchObject({ duplicate_of: created?.id, changes: [], conflicts: [] });
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S19 the POST succeeded, the answer was lost: the retry makes no second issue", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    const id = await app.addTask({ title: "Posted once", markdown: "Text" });
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([
      { id, title: "Posted once", markdown: "Text", owner_id: "1" },
    ]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Posted once" }]);
    expect(await app.story()).toEqual(["outbound completed adopted_resource"]);
    expect(await app.events()).toMatchObject([
      { integration_external_id: "1", attempts: 2, conflicts: [], error: null },
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S19 the same where the echo comes before the retry: it settles what was lost", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    const id = await app.addTask({ title: "Posted once" });
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id, title: "Posted once", owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story()).toEqual([
      "outbound completed nothing_to_send",
      "inbound completed agreed",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S19 the same for a comment", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_COMMENT, with: "lost-answer" });
    const id = await app.addComment(task, "Said once");
    await app.settleWithin(1);

    expect(await app.comments()).toMatchObject([{ id, markdown: "Said once", author_id: "1" }]);
    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(await app.story(`record=comments:${id}`)).toEqual([
      "outbound completed adopted_resource",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S19 a POST that never arrived is sent again once its absence is seen", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied: false });
    const id = await app.addTask({ title: "Posted once" });
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id, title: "Posted once" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(1);
  });

  it("S20 the POST succeeded, the database failed before it was recorded: one issue", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    const id = await app.addTask({ title: "Posted once" });
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    await app.sql(FULL_DISK);
    hold.release();
    await done;
    expect(await app.story()).toEqual(["outbound queued retry"]);
    await app.sql("drop trigger full_disk on tandem.lanes");
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id, title: "Posted once", owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story()).toEqual(["outbound completed adopted_resource"]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S20 the POST succeeded, its worker died before it was recorded: one issue", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    const id = await app.addTask({ title: "Posted once" });
    const hold = await dieSending(app, POST_ISSUE);
    hold.apply();
    await app.settle();
    expect(await app.story()).toEqual(["outbound processing being_processed"]);
    await app.advance(60_000);
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id, title: "Posted once", owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.story()).toEqual(["outbound completed adopted_resource"]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S21 a dead worker's POST lands after its successor's: the sweep leaves one open issue", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Posted twice" });
    const late = await outliveSender(app, POST_ISSUE);
    late.apply();
    await app.settle();
    expect(app.github.issues(app.repo).map(({ state }) => state)).toEqual(["open", "open"]);

    await app.tandem.sweepNow();
    await app.settle();
    // The comment that says why waits for a record of its issue, in vain.
    await app.advance(PARENT_DEADLINE_MS);
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, title: "Posted twice", state: "open" },
      { number: 2, title: "Posted twice", state: "closed", stateReason: "not_planned" },
    ]);
    const [why, ...others] = app.github.comments(app.repo);
    expect(why).toMatchObject({ issueNumber: 2 });
    expect(why?.body).toContain("#1");
    expect(others).toEqual([]);
    expect(await app.tasks()).toMatchObject([{ id, title: "Posted twice", status: "todo" }]);
    expect(await app.comments()).toEqual([]);

    const record = `record=tasks:${id}`;
    expect(await app.story(record)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      // Its webhook; the sweep as it closes it; the webhooks of closing and of commenting.
      "inbound ignored surplus",
      "inbound ignored surplus",
      "inbound ignored surplus",
      "inbound ignored surplus",
    ]);
    const cause = { ignored_for_id: id, ignored_for_type: "tasks" };
    expect((await app.events(record)).slice(2)).toMatchObject([
      { source: "webhook", integration_external_id: "2", ...cause },
      { source: "reread", integration_external_id: "2", ...cause },
      { source: "webhook", integration_external_id: "2", ...cause },
      { source: "webhook", integration_external_id: "2", ...cause },
    ]);
    const ofComment = (await app.events()).filter((event) => event.record_type === "comments");
    expect(ofComment).toMatchObject([
      // The sweep had made its list before it wrote the comment: only the webhook tells of it.
      { state: "ignored", reason: "surplus", source: "webhook", ...cause },
    ]);
    // Two POSTs; closing the surplus one and saying why.
    expect(app.writes()).toBe(4);

    await app.tandem.sweepNow();
    await app.settle();
    expect(app.writes()).toBe(4);
    expect(await app.events()).toHaveLength(7);
  });

  it("S21 a dead worker's POST lands while its successor looks for it: no second POST", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Posted once" });
    const late = await dieSending(app, POST_ISSUE);
    await app.advance(60_000);
    const { hold, answer } = await catchRequest(app, { method: "GET" });
    hold.apply();
    late.apply();
    await app.settle();
    await answer();

    expect(await app.tasks()).toMatchObject([{ id, title: "Posted once", owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.story()).toEqual([
      "outbound completed adopted_resource",
      "inbound duplicate nothing_new",
    ]);
    expect(app.writes()).toBe(1);
    // The list, the look at what it had missed, and the echo's.
    expect(app.reads()).toBe(3);
  });
});

/** Refuses every write that binds a lane to its resource, as a full disk would. */
const FULL_DISK = `
create or replace function full_disk() returns trigger language plpgsql as $$
begin
  raise exception 'could not extend file: No space left on device' using errcode = '53100';
end $$;
create trigger full_disk before update on tandem.lanes
  for each row when (old.external_id is null and new.external_id is not null)
  execute function full_disk();
`;
