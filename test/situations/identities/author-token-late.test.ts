/**
 * Late results of creates under an author's own token: a refusal after another worker has the lane, and
 * a copy by the author's own hand while the outcome of the create is unknown.
 */
import { expect, it } from "vitest";
import type { Failpoints } from "../../../src/runtime/services/failpoints.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { givenLabels, givenTokens, MONAS, said, wrote } from "../../harness/author-tokens.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import type { SampleTandem } from "../../harness/sample-tandem.ts";
import { catchRequest, dieSending, outliveSender, POST_ISSUE } from "../../harness/in-flight.ts";

/** The first worker that is about to send stands still there until it is let go. */
function aFrozenWorker() {
  let stand: () => void = () => undefined;
  let thaw: () => void = () => undefined;
  const stands = new Promise<void>((resolve) => (stand = resolve));
  const goes = new Promise<void>((resolve) => (thaw = resolve));
  let isFirst = true;
  const failpoints: Failpoints = {
    async reach(point) {
      if (point !== "before:send" || !isFirst) return;
      isFirst = false;
      stand();
      await goes;
    },
  };
  return { failpoints, stands, thaw };
}

/** Mona's copy of issue 1, made by hand, with the hidden mark in it. */
function copyByHand(app: SampleTandem, title: string): void {
  const { body } = app.github.issue(app.repo, 1) ?? {};
  app.github.as("mona").openIssue(app.repo, { title, body: body ?? "" });
}

describeOnOneDatabase("a create under an author's own token that", (open) => {
  it("S21 is refused when an earlier one has landed: that is hers, and nothing is sent unseen", async () => {
    const app = await givenLabels(await open());
    app.github.token(MONAS, { login: "mona", push: false });
    const task = await app.addTask({ title: "Mona's", markdown: "Text" });
    const late = await dieSending(app, POST_ISSUE);
    await app.advance(60_000);
    const { answer } = await catchRequest(app, POST_ISSUE);
    late.apply();
    await app.settle();
    app.github.blockUser(app.repo, "mona");
    await answer();

    const labels = ["bug"];
    expect(app.github.issues(app.repo)).toMatchObject([
      { author: "mona", title: "Mona's", labels },
    ]);
    expect(await app.sql("select labels from tasks")).toEqual([{ labels }]);
    expect(await app.story("direction=outbound")).toEqual(["outbound completed updated_resource"]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(wrote(app)).toEqual(["POST mona", "POST mona", `POST ${TEST_LOGIN}`]);
    // Who she is; a list for the first; its echo, which came in doubt; a look for the second;
    // and what the issue is with its label, which the answer to that does not say.
    expect(app.reads()).toBe(5);

    await app.advance(5_000);
    await app.editTask(task, { markdown: "Edited" });
    await app.settle();
    // She wrote it: no line says so.
    expect(said(app.github.issue(app.repo, 1)?.body)).toBe("Edited");
  });

  it("S25 is refused after its worker lost it has made nothing: her copy by hand is her own", async () => {
    const { failpoints, stands, thaw } = aFrozenWorker();
    const app = await givenTokens(await open(), undefined, {}, { failpoints });
    const task = await app.addTask({ title: "Original", markdown: "Text" });
    const frozen = app.settle();
    await stands;
    await app.advance(60_000);
    await app.settle();
    app.github.failNext({ ...POST_ISSUE, with: 422 });
    thaw();
    await frozen;
    copyByHand(app, "Original");
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ state: "open" }, { state: "open" }]);
    expect(await app.tasks()).toMatchObject([{ id: task }, { title: "Original", owner_id: "1" }]);
    expect(wrote(app)).toEqual(["POST mona", "POST mona"]);
  });

  it("S25 may have landed twice closes no copy in other words, and no more than has left", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Original", markdown: "Text" });
    const late = await outliveSender(app, POST_ISSUE);
    copyByHand(app, "In other words");
    await app.settle();
    late.apply();
    await app.settle();
    copyByHand(app, "Original");
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([
      { title: "Original", state: "open" },
      { title: "In other words", state: "open" },
      { title: "Original", state: "closed" },
      { title: "Original", state: "open" },
    ]);
    expect(await app.tasks()).toMatchObject([
      { id: task, title: "Original" },
      { title: "In other words" },
      { title: "Original" },
    ]);
  });

  it("S25 the same where only a list shows what landed and what she copied", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Original", markdown: "Text" });
    const late = await outliveSender(app, POST_ISSUE);
    app.github.faults.webhooks.drop = 1;
    late.apply();
    copyByHand(app, "Original");
    await app.tandem.sweepNow();
    await app.settle();
    const states = app.github.issues(app.repo).map(({ state }) => state);
    expect(states).toEqual(["open", "closed", "open"]);
    expect(await app.tasks()).toMatchObject([{ id: task }, { title: "Original" }]);
  });
});
