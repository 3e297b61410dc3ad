/** Situation 58: a person whose token is the account's copies a text with our marker. */
import { expect, it } from "vitest";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { outliveSender, POST_COMMENT, POST_ISSUE } from "../../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { givenSentTask } from "../../harness/sent-tasks.ts";

/** Copies the account's issue word for word, as the person who owns its token. */
function copyIssue(app: SampleTandem, number: number): void {
  const original = app.github.issue(app.repo, number);
  const { title = "", body = "" } = original ?? {};
  app.github.as(TEST_LOGIN).openIssue(app.repo, { title, body });
}

const states = (app: SampleTandem) => app.github.issues(app.repo).map(({ state }) => state);

describeOnOneDatabase("a person who acts as the account", (open) => {
  it("S58 copies an issue with our marker: it gets a task of its own, and nothing is closed", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Original", markdown: "Text" });
    await app.settle();
    copyIssue(app, 1);
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();

    expect(states(app)).toEqual(["open", "open"]);
    expect(app.github.comments(app.repo)).toEqual([]);
    expect((await app.tasks()).map(({ title, markdown }) => [title, markdown])).toEqual([
      ["Original", "Text"],
      ["Original", "Text"],
    ]);
    expect(app.writes()).toBe(1);
  });

  it("S58 the same where only a list shows it, and for a comment: nothing is deleted", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    await app.addComment(task, "Said once");
    await app.settle();
    app.github.faults.webhooks.drop = 1;
    const [original] = app.github.comments(app.repo);
    const { body = "" } = original ?? {};
    app.github.as(TEST_LOGIN).comment(app.repo, 1, body);
    await app.tandem.sweepNow();
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();

    expect(app.github.comments(app.repo)).toHaveLength(2);
    expect((await app.comments()).map(({ markdown }) => markdown)).toEqual([
      "Said once",
      "Said once",
    ]);
    const reasons = (await app.events()).map(({ reason }) => reason);
    expect(reasons).not.toContain("surplus");
  });

  it("S58 closes no more than the requests that were never answered, whatever is copied", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Posted twice" });
    const late = await outliveSender(app, POST_ISSUE);
    late.apply();
    await app.settle();
    copyIssue(app, 1);
    copyIssue(app, 2);
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();

    expect(states(app)).toEqual(["open", "closed", "open", "open"]);
    expect(await app.tasks()).toHaveLength(3);
  });

  it("S58 copies a comment long after a request that was never answered: it is theirs", async () => {
    const app = await givenSampleTandem(await open());
    const task = await givenSentTask(app);
    await app.addComment(task, "Said once");
    await outliveSender(app, POST_COMMENT);
    const [original] = app.github.comments(app.repo);
    await app.advance(16 * 60_000);
    app.github.as(TEST_LOGIN).comment(app.repo, 1, original?.body ?? "");
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();

    expect(app.github.comments(app.repo)).toHaveLength(2);
    expect(await app.comments()).toHaveLength(2);
  });
});
