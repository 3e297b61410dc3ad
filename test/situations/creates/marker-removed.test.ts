/** Situation 59: our marker is edited away before the look-up of a lost create. */
import { expect, it } from "vitest";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { givenTokens } from "../../harness/author-tokens.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { dieSending, POST_COMMENT, POST_ISSUE } from "../../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { givenSentTask } from "../../harness/sent-tasks.ts";

/** Creates a task whose issue nobody hears of: answer and webhook are lost. */
async function givenLostIssue(app: SampleTandem): Promise<string> {
  app.github.faults.webhooks.drop = 1;
  app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
  const id = await app.addTask({ title: "Posted once", markdown: "Text of some length" });
  await app.settle();
  expect(app.github.issues(app.repo)).toHaveLength(1);
  return id;
}

/** Its worker died as the issue landed, and its marker was edited away `millis` later; no webhook told. */
async function givenEditedUnheard(app: SampleTandem, millis: number): Promise<string> {
  const id = await app.addTask({ title: "Posted once", markdown: "Text of some length" });
  app.github.faults.webhooks.drop = 1;
  const hold = await dieSending(app, POST_ISSUE);
  hold.apply();
  await app.advance(millis);
  app.github.as("mona").editIssue(app.repo, 1, { body: "Text of some length" });
  return id;
}

describeOnOneDatabase("a lost create whose marker a person edits away", (open) => {
  it.each([
    ["and the webhook of the edit arrives", 0],
    ["and only a list shows it", 1],
  ])("S59 is found by what it says, %s: one issue, one task", async (_how, lost) => {
    const app = await givenSampleTandem(await open());
    const id = await givenLostIssue(app);
    app.github.faults.webhooks.drop = lost;
    await app.advance(1_000);
    app.github.as("mona").editIssue(app.repo, 1, { body: "Text of some length" });
    await app.settleWithin(10);

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.tasks()).toMatchObject([
      { id, title: "Posted once", markdown: "Text of some length" },
    ]);
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
  });

  it("S59 is recognized by its title if the text was edited too, and the edit is stored", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenLostIssue(app);
    await app.advance(1_000);
    app.github.as("mona").editIssue(app.repo, 1, { body: "Something else" });
    await app.settleWithin(10);

    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.tasks()).toMatchObject([{ id, markdown: "Something else" }]);
    expect(app.github.issue(app.repo, 1)?.body).toContain("Something else");
  });

  it("S59 the same for a comment: what is left of its text tells it", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_COMMENT, with: "lost-answer" });
    const id = await app.addComment(task, "A remark of some length");
    await app.settle();
    const [comment] = app.github.comments(app.repo);
    await app.advance(1_000);
    const edited = "A remark of some length, corrected";
    app.github.as(TEST_LOGIN).editComment(app.repo, comment?.id ?? 0, edited);
    await app.settleWithin(10);

    expect(app.github.comments(app.repo)).toHaveLength(1);
    expect(await app.comments()).toMatchObject([{ id, markdown: edited }]);
  });

  it("S59 the same while its worker is dead: what was edited waits for the look", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenEditedUnheard(app, 1_000);
    await app.settle();
    expect(await app.tasks()).toHaveLength(1);
    await app.advance(60_000);
    await app.settleWithin(10);

    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(await app.tasks()).toMatchObject([{ id }]);
  });

  it("S59 the same though it was edited in the second in which it was made, as a list tells", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenEditedUnheard(app, 0);
    await app.tandem.syncNow();
    await app.settle();
    expect(await app.tasks()).toHaveLength(1);
    await app.settleWithin(10);

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, state: "open" }]);
    expect(await app.tasks()).toMatchObject([{ id, title: "Posted once" }]);
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
  });

  it("S59 the same where it left under its author's own token", async () => {
    const app = await givenTokens(await open());
    const id = await givenEditedUnheard(app, 1_000);
    await app.tandem.syncNow();
    await app.settle();
    expect(await app.tasks()).toHaveLength(1);
    await app.settleWithin(10);

    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, author: "mona" }]);
    expect(await app.tasks()).toMatchObject([{ id, title: "Posted once" }]);
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
  });

  it("S59 does not guess between two of one title, nor take what says something else", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied: false });
    const id = await app.addTask({ title: "Posted once", markdown: "Text of some length" });
    await app.settle();
    for (const body of ["One thing", "Another thing"]) {
      app.github.as(TEST_LOGIN).openIssue(app.repo, { title: "Posted once", body });
    }
    await app.settleWithin(10);

    expect(app.github.issues(app.repo)).toHaveLength(3);
    expect(await app.tasks()).toHaveLength(3);
    const [task] = (await app.tasks()).filter((row) => row.id === id);
    expect(task).toMatchObject({ markdown: "Text of some length" });
  });
});
