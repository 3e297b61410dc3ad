/** Situation 42: pull requests share the issues' numbers. None becomes a task; a paired issue may become one. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** A task whose issue was made a pull request: same number, other webhooks, not listed any more. */
async function givenConverted(database: TestDatabase): Promise<SampleTandem> {
  const app = await givenSampleTandem(database);
  await app.addTask({ title: "Mend the link" });
  await app.settle();
  await app.advance(1_000);
  app.github.as("mona").convertToPullRequest(app.repo, 1);
  await app.settle();
  await app.advance(1_000);
  app.github.clearRequests();
  return app;
}

describeOnOneDatabase("pull requests", (open) => {
  it("S42: one that was opened as such is no task, by webhook, poll or sweep, nor are its comments", async () => {
    const app = await givenSampleTandem(await open());
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "An issue" });
    const { number } = mona.openPullRequest(app.repo, { title: "A pull request" });
    mona.comment(app.repo, number, "Looks good.");
    mona.editIssue(app.repo, number, { title: "A better one" });
    mona.closeIssue(app.repo, number);
    await app.settle();
    await app.advance(60_000);
    await app.tandem.syncNow();
    await app.tandem.sweepNow();
    await app.settle();

    expect(number).toBe(2);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "An issue", state: "open" });
    expect(app.github.issue(app.repo, 2)).toMatchObject({ title: "A better one", state: "closed" });
    expect(await app.tasks()).toMatchObject([{ title: "An issue" }]);
    expect(await app.comments()).toEqual([]);
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    const told = (await app.storedDeliveries()).map(
      ({ event, action, reason }) => `${event} ${action ?? ""} ${reason ?? "translated"}`,
    );
    // They are received at one instant, in any order.
    expect([...told].sort()).toEqual([
      "issue_comment created pull_request",
      "issues opened translated",
      "pull_request closed pull_request",
      "pull_request edited pull_request",
      "pull_request opened pull_request",
    ]);
    expect(app.writes()).toBe(0);
  });

  it("S42: a task's edit goes to the pull request its issue became, and the answer keeps the link", async () => {
    const app = await givenConverted(await open());
    const { id } = await app.task();
    await app.editTask(id, { title: "Mend all links" });
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();

    expect(app.github.issue(app.repo, 1)).toMatchObject({ number: 1, title: "Mend all links" });
    expect(app.github.issue(app.repo, 1)?.pullRequest).not.toBeNull();
    expect(await app.task()).toMatchObject({ id, title: "Mend all links" });
    expect(await app.pairings(id)).toMatchObject([{ integration_external_id: "1", in_sync: true }]);
    expect((await app.story("direction=outbound")).at(-1)).toBe(
      "outbound completed updated_resource",
    );
    expect(app.github.calls({ method: "PATCH" })).toBe(1);
    expect(app.writes()).toBe(1);
  });

  it("S42: an edit of the pull request that an issue became is stored by the sweep, which finds it by number", async () => {
    const app = await givenConverted(await open());
    const { id } = await app.task();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Mend the link" });
    await app.tandem.sweepNow();
    await app.settle();

    expect(await app.task()).toMatchObject({ id, title: "Theirs", deleted_at: null });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Theirs", state: "open" });
    expect((await app.events("direction=inbound")).at(-1)).toMatchObject({
      source: "poll",
      state: "completed",
      reason: "updated_record",
      integration_external_id: "1",
    });
    // Once more, and nothing is new.
    const events = (await app.events()).length;
    await app.tandem.sweepNow();
    await app.settle();
    expect((await app.events()).length).toBe(events);
    expect(app.writes()).toBe(0);
  });

  it("S42: a task's comment is written on the pull request its issue became, once", async () => {
    const app = await givenConverted(await open());
    const { id } = await app.task();
    await app.addComment(id, "Done?");
    await app.settle();

    expect(app.github.comments(app.repo, 1)).toMatchObject([{ issueNumber: 1 }]);
    expect(await app.comments()).toMatchObject([{ markdown: "Done?" }]);
    expect(await app.story("direction=outbound")).toEqual([
      "outbound completed created_resource",
      "outbound completed created_resource",
    ]);
    expect(app.github.calls({ method: "POST" })).toBe(1);
    expect(app.writes()).toBe(1);
  });
});
