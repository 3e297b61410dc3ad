/**
 * The app writes what an issue says as well, and the issue has gone on: base agrees with both for a
 * moment, so the app's edit is never sent, and must be named when the issue's next word takes its place.
 */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("an edit that both sides agree on for a moment", (open) => {
  /** Mona has said "V", and "W" after it; neither was told yet. */
  async function givenUntold(database: TestDatabase) {
    const app = await givenSampleTandem(database);
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Title" });
    await app.settle();
    await app.advance(5_000);
    app.github.faults.webhooks.hold = true;
    mona.editIssue(app.repo, 1, { title: "V" });
    await app.advance(2_000);
    mona.editIssue(app.repo, 1, { title: "W" });
    await app.advance(2_000);
    app.github.faults.webhooks.hold = false;
    app.github.clearRequests();
    const held = app.github.deliveries.filter(({ state }) => state === "held");
    const tell = async (index: number) => {
      await app.github.releaseDeliveries(held.slice(index, index + 1).map(({ id }) => id));
      await app.settle();
    };
    return { app, task: (await app.task()).id, mona, tell };
  }

  async function expectBoth(app: SampleTandem, task: string, title: string): Promise<void> {
    expect(await app.tasks()).toMatchObject([{ id: task, title }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title }]);
    expect(await app.pairings(task)).toMatchObject([{ in_sync: true, base: { title } }]);
    expect(app.writes()).toBe(0);
  }

  it.each(["its webhook", "a poll after a comment"])("is named by %s", async (toldBy) => {
    const { app, task, mona, tell } = await givenUntold(await open());
    await app.editTask(task, { title: "V" });
    await tell(0);
    if (toldBy === "its webhook") await tell(1);
    else {
      // The issue's time is that of the comment by then.
      mona.comment(app.repo, 1, "Anybody?");
      await app.tandem.syncNow();
      await app.settle();
    }

    await expectBoth(app, task, "W");
    const named = (await app.events()).filter(({ conflicts }) => conflicts.length > 0);
    expect(named).toMatchObject([
      {
        state: "completed",
        reason: "updated_record",
        conflicts: [
          { field: "title", winner: "resource", kept: "W", lost: "V", why: "agreed_before" },
        ],
      },
    ]);
  });

  it("is not where the issue goes on long after it: whoever did that has seen it", async () => {
    const { app, task, mona, tell } = await givenUntold(await open());
    await tell(0);
    await tell(1);
    await app.editTask(task, { title: "W" });
    await app.settle();
    await app.advance(601_000);
    mona.editIssue(app.repo, 1, { title: "X" });
    await app.advance(1_000);
    await app.settle();

    await expectBoth(app, task, "X");
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
  });

  it("is none where the app's edit was sent, and two of theirs follow it: the second replaces the first", async () => {
    const app = await givenSampleTandem(await open());
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Title" });
    await app.settle();
    await app.advance(5_000);
    const { id } = await app.task();
    await app.editTask(id, { title: "V" });
    await app.settle();
    for (const title of ["W", "X"]) {
      await app.advance(20_000);
      mona.editIssue(app.repo, 1, { title });
      await app.settle();
    }

    expect(await app.tasks()).toMatchObject([{ id, title: "X" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title: "X" }]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.writes()).toBe(1);
  });
});
