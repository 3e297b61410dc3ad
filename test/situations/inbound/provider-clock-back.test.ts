/** Situation 62: the provider's clock steps back, so what it says later bears an older time. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const EDIT = { title: "Said later", body: "Below it.", state: "closed" } as const;

describeOnOneDatabase("a provider's clock that steps back", (open) => {
  it("S62 a webhook that bears an older time and says what nobody knows is read, and merged", async () => {
    const app = await givenStepBack(await open());
    app.github.as("mona").editIssue(app.repo, 1, EDIT);
    await app.settleWithin(5);

    expect(await app.task()).toMatchObject({
      title: "Said later",
      markdown: "Below it.",
      status: "done",
    });
    expect(await app.copiedTitle(1)).toBe("Said later");
    expect((await app.events()).at(-1)).toMatchObject({
      state: "completed",
      reason: "updated_record",
      conflicts: [],
    });
    expect(app.writes()).toBe(0);
    expect(await app.status()).toMatchObject({ live: { queued: 0, errored: 0 } });
  });

  it("S62 a poll alone finds it as well", async () => {
    const app = await givenStepBack(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").editIssue(app.repo, 1, EDIT);
    await app.tandem.syncNow();
    await app.settleWithin(5);

    expect(await app.task()).toMatchObject({ title: "Said later", status: "done" });
    await app.tandem.syncNow();
    await app.settleWithin(5);
    const reads = app.github.calls({ method: "GET", path: /issues\/1$/ });
    await app.tandem.syncNow();
    await app.settleWithin(5);
    expect(app.github.calls({ method: "GET", path: /issues\/1$/ })).toBe(reads);
  });

  it("S62 a person who goes back to what was there before is followed too", async () => {
    const app = await givenStepBack(await open());
    app.github.as("mona").editIssue(app.repo, 1, { title: "At first" });
    await app.settleWithin(5);
    expect(await app.task()).toMatchObject({ title: "At first" });
  });

  it("S62 what the app says meanwhile is sent, and nothing of theirs is undone", async () => {
    const app = await givenStepBack(await open());
    app.github.as("mona").editIssue(app.repo, 1, { title: "Said later" });
    const { id } = await app.task();
    await app.editTask(id, { markdown: "From the app." });
    await app.settleWithin(5);

    const issue = { title: "Said later", body: "From the app." };
    expect(app.github.issue(app.repo, 1)).toMatchObject(issue);
    expect(await app.task()).toMatchObject({ title: "Said later", markdown: "From the app." });
    expect(app.writes()).toBe(1);
  });

  it("S62 a read that lags is not believed for it: within 30 seconds it undoes nothing", async () => {
    const app = await givenPairedTask(await open());
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    await app.advance(2_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Third" });
    const [second, third] = app.held();
    if (second === undefined || third === undefined) throw new Error("both are held");
    await app.release(third);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Third" });

    // The replica shows the state before both.
    app.github.faults.api.staleReads = { rate: 1, lagMs: 4_000 };
    await app.release(second);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Third" });
    await app.settleWithin(1);
    expect(await app.task()).toMatchObject({ title: "Third" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Third" });
    const older = (await app.events()).find(({ reason }) => reason === "later_event");
    expect(older).toMatchObject({ state: "ignored", ignored_for_type: "events" });
  });

  it("S62 an older webhook of what was known before costs no call", async () => {
    const app = await givenPairedTask(await open());
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    await app.settle();
    const [, known] = app.github.deliveries;
    await app.advance(2_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Third" });
    await app.settle();
    app.github.clearRequests();
    if (known === undefined) throw new Error("there is a webhook of the edit");
    await app.sql("delete from tandem.deliveries");
    app.github.redeliver(known.id);
    await app.settle();

    expect((await app.events()).at(-1)).toMatchObject({ state: "ignored", reason: "later_event" });
    expect(app.github.calls()).toBe(0);
    expect(await app.task()).toMatchObject({ title: "Third" });
  });
});

async function givenPairedTask(database: TestDatabase): Promise<SampleTandem> {
  const app = await givenSampleTandem(database);
  app.github.as("mona").openIssue(app.repo, { title: "At first" });
  await app.settle();
  await app.advance(60_000);
  app.github.clearRequests();
  return app;
}

/** Something was said a second ago, by a clock that is now set back by five. */
async function givenStepBack(database: TestDatabase): Promise<SampleTandem> {
  const app = await givenPairedTask(database);
  app.github.as("mona").editIssue(app.repo, 1, { title: "Said first" });
  await app.settle();
  await app.advance(1_000);
  app.setGitHubAhead(-5_000);
  return app;
}
