/** Situations 24 and 25: who wrote a resource, and whether its marker is ours. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { catchRequest, dieSending } from "../../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";

const POST_ISSUE = { method: "POST", path: /\/issues$/ };
const MARKER = /<!-- tandem:(\w+) -->/;

describeOnOneDatabase("authors and markers", (open) => {
  it("S24 bot-posted echo keeps the human author", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Mona's" });
    const comment = await app.addComment(task, "Mona's too");
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ author: TEST_LOGIN });
    expect(app.github.comments(app.repo)).toMatchObject([{ author: TEST_LOGIN }]);

    await app.advance(5_000);
    app.github.as("octocat").editIssue(app.repo, 1, { body: "Edited by another" });
    const [posted] = app.github.comments(app.repo);
    app.github.as("octocat").editComment(app.repo, posted?.id ?? 0, "Edited by another");
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();

    expect(await app.tasks()).toMatchObject([
      { id: task, owner_id: "1", markdown: "Edited by another" },
    ]);
    expect(await app.comments()).toMatchObject([
      { id: comment, author_id: "1", markdown: "Edited by another" },
    ]);
    // Neither the bot nor who edited became a user.
    expect(await app.users()).toMatchObject([{ id: "1", github_login: "mona" }]);
    expect(await app.story(`record=tasks:${task}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      // The comment's webhook brings its issue along.
      "inbound duplicate same_content",
      "inbound completed updated_record",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(2);
  });

  it("S24 the same where the create of a dead worker lands for its successor", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Mona's" });
    const late = await dieSending(app, POST_ISSUE);
    app.github.failNext({ ...POST_ISSUE, with: "refused" });
    await app.advance(60_000);
    await app.tandem.settle();
    expect(await app.story()).toEqual(["outbound queued retry"]);
    late.apply();
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id: task, title: "Mona's", owner_id: "1" }]);
    expect(await app.users()).toMatchObject([{ id: "1", github_login: "mona" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Mona's" }]);
    const events = await app.events();
    expect(await app.story()).toEqual([
      "outbound completed nothing_to_send",
      "inbound completed agreed",
    ]);
    expect(events.flatMap(({ conflicts }) => conflicts)).toEqual([]);
    // The one that landed late and the one that was refused.
    expect(app.writes()).toBe(2);
  });

  it("S24 the same where it lands after a local edit: the record keeps the edit", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "First" });
    const late = await dieSending(app, POST_ISSUE);
    await app.editTask(task, { title: "Second" });
    app.github.failNext({ ...POST_ISSUE, with: "refused" });
    await app.advance(60_000);
    await app.tandem.settle();
    late.apply();
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id: task, title: "Second", owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "Second" }]);
    expect(await app.users()).toHaveLength(1);
    const events = await app.events();
    expect(await app.story()).toEqual([
      "outbound canceled superseded",
      "outbound completed updated_resource",
      "inbound ignored record_is_newer",
      "inbound duplicate same_content",
    ]);
    expect(events[0]).toMatchObject({ canceled_by: events[1]?.id });
    expect(events[2]).toMatchObject({
      ignored_for_id: task,
      conflicts: [
        { field: "title", winner: "record", kept: "Second", lost: "First", why: "late_write" },
      ],
    });
    // The one that landed late, the one that was refused, and the edit.
    expect(app.writes()).toBe(3);
  });

  it("S25 a body with somebody else's copied marker is a new resource", async () => {
    const app = await givenSampleTandem(await open());
    const original = await app.addTask({ title: "Original", markdown: "Text" });
    await app.settle();
    const { body } = app.github.issue(app.repo, 1) ?? {};
    expect(body).toMatch(MARKER);
    await app.advance(5_000);
    app.github.as("mona").openIssue(app.repo, { title: "Copy", body: body ?? "" });
    await app.settle();

    const [, copy] = await app.tasks();
    expect(await app.tasks()).toMatchObject([
      { id: original, title: "Original", markdown: "Text" },
      { title: "Copy", markdown: "Text", owner_id: "1" },
    ]);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
      "inbound completed created_record",
    ]);

    await app.tandem.sweepNow();
    await app.editTask(copy?.id ?? "", { markdown: "Another text" });
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, title: "Original", state: "open", body },
      { number: 2, title: "Copy", state: "open", body: "Another text" },
    ]);
    expect(app.writes()).toBe(2);
  });

  it("S25 the same for the marker of a create that is still under way", async () => {
    const app = await givenSampleTandem(await open());
    const original = await app.addTask({ title: "Original" });
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    const [marker = ""] = MARKER.exec((await hold.arrived).body) ?? [];
    app.github.as("mona").openIssue(app.repo, { title: "Copy", body: `Mine\n\n${marker}` });
    await app.settle();
    hold.release();
    await done;
    await app.settle();

    expect(await app.tasks()).toMatchObject([
      { id: original, title: "Original" },
      { title: "Copy", markdown: "Mine" },
    ]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Copy" }, { title: "Original" }]);
    expect(await app.story(`record=tasks:${original}`)).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(1);
  });

  it("S25 a copy is not taken for the resource of a create whose answer was lost", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    const original = await app.addTask({ title: "Original" });
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    hold.apply();
    const { body } = app.github.issue(app.repo, 1) ?? {};
    app.github.as("mona").openIssue(app.repo, { title: "Copy", body: body ?? "" });
    app.github.as("mona").deleteIssue(app.repo, 1);
    hold.drop();
    await done;
    await app.settleWithin(1);
    await app.tandem.syncNow();
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 2, title: "Copy" },
      { number: 3, title: "Original" },
    ]);
    expect(await app.tasks()).toMatchObject([
      { id: original, title: "Original" },
      { title: "Copy", owner_id: "1" },
    ]);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound completed created_record",
    ]);
    expect(app.writes()).toBe(2);
  });

  it("S25 an answer that names another issue than the one adopted meanwhile changes nothing: the sweep closes that", async () => {
    const app = await givenSampleTandem(await open());
    const original = await app.addTask({ title: "Original" });
    const late = await dieSending(app, POST_ISSUE);
    await app.advance(60_000);
    const { answer } = await catchRequest(app, POST_ISSUE);
    late.apply();
    await app.settle();
    expect(await app.pairings(original)).toMatchObject([{ integration_external_id: "1" }]);
    await answer();

    await expectOneKept(app, original, ["open", "closed"]);
  });

  it("S25 a look that names another issue than the one adopted meanwhile changes nothing: the sweep closes that", async () => {
    const app = await givenSampleTandem(await open());
    const original = await app.addTask({ title: "Original" });
    const late = await dieSending(app, POST_ISSUE);
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    app.github.faults.webhooks.drop = 1;
    await app.advance(60_000);
    await app.settle();
    app.github.faults.webhooks.drop = 0;
    await app.advance(10_000);
    const { hold, answer } = await catchRequest(app, { method: "GET", path: /\/issues$/ });
    hold.apply();
    late.apply();
    await app.settle();
    expect(await app.pairings(original)).toMatchObject([{ integration_external_id: "2" }]);
    await answer();

    await expectOneKept(app, original, ["closed", "open"]);
  });

  it("S25 S59 an edit without the marker, received before the answer, waits for it and is stored", async () => {
    const app = await givenSampleTandem(await open());
    const original = await app.addTask({ title: "Original", markdown: "Ours" });
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    app.holdWebhooks();
    hold.apply();
    await app.advance(2_000);
    app.github.as("mona").editIssue(app.repo, 1, { body: "Theirs" });
    await app.release(...app.held().slice(-1));
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id: original, markdown: "Ours" }]);
    expect(await app.story("state=queued")).toEqual(["inbound queued awaiting_intent"]);
    hold.release();
    await done;
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id: original, markdown: "Theirs" }]);
    expect(await app.pairings(original)).toMatchObject([
      { integration_external_id: "1", in_sync: true },
    ]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, body: "Theirs" }]);
    expect(app.writes()).toBe(1);
  });

  it("S25 an answer that names an issue which has a task by now: a person must look, and nothing is merged", async () => {
    const app = await givenSampleTandem(await open());
    // The issue looks older than any create that is still waited for: nothing shows that it had a marker.
    app.setGitHubAhead(-11 * 60_000);
    const original = await app.addTask({ title: "Original", markdown: "Ours" });
    const { hold, done } = await catchRequest(app, POST_ISSUE);
    app.holdWebhooks();
    hold.apply();
    app.github.as("mona").editIssue(app.repo, 1, { body: "Theirs" });
    await app.release(...app.held().slice(-1));
    await app.settle();
    const [, other] = await app.tasks();
    expect(other).toMatchObject({ title: "Original", markdown: "Theirs" });
    hold.release();
    await done;
    await app.settle();

    expect(await app.events(`record=tasks:${original}`)).toMatchObject([
      { state: "errored", reason: "needs_attention", error: { code: "paired_elsewhere" } },
    ]);
    expect(await app.tasks()).toMatchObject([
      { id: original, markdown: "Ours" },
      { id: other?.id, markdown: "Theirs" },
    ]);
    expect(await app.pairings(original)).toMatchObject([{ integration_external_id: null }]);
    expect(await app.pairings(other?.id ?? "")).toMatchObject([{ integration_external_id: "1" }]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ body: "Theirs", state: "open" });
    expect(app.writes()).toBe(1);
  });
});

/** The task stays paired with the issue that is open, and the sweep closes the other: `states` of issues 1 and 2. */
async function expectOneKept(
  app: SampleTandem,
  task: string,
  states: readonly ["open" | "closed", "open" | "closed"],
): Promise<void> {
  await app.settleWithin(1);
  await app.tandem.sweepNow();
  await app.settleWithin(1);

  expect(await app.tasks()).toMatchObject([{ id: task, title: "Original" }]);
  expect(await app.pairings(task)).toMatchObject([
    { integration_external_id: String(states.indexOf("open") + 1), in_sync: true },
  ]);
  expect(app.github.issues(app.repo)).toMatchObject(
    states.map((state, index) => ({ number: index + 1, state })),
  );
  expect(await app.story(`record=tasks:${task}&state=processing`)).toEqual([]);
}
