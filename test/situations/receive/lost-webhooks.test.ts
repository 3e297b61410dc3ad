/** Situation 46: webhooks are lost, for a day or for ever, and one poll repairs all. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const HOUR = 3_600_000;

/** Title, body and state of both sides, by title. */
async function bothSides(app: SampleTandem) {
  const tasks = (await app.tasks())
    .filter(({ deleted_at }) => deleted_at === null)
    .map(({ title, markdown, status }) => [title, markdown, status === "done" ? "closed" : "open"]);
  const issues = app.github
    .issues(app.repo)
    .map(({ title, body, state }) => [title, (body ?? "").replace(/\s*<!--.*-->$/s, ""), state]);
  return { tasks: tasks.sort(), issues: issues.sort() };
}

describeOnOneDatabase("webhooks that never came", (open) => {
  it("S46 a day of lost webhooks: one poll brings every edit of it, and writes nothing", async () => {
    const app = await givenSampleTandem(await open());
    const mona = app.github.as("mona");
    for (const title of ["First", "Second", "Third"]) mona.openIssue(app.repo, { title });
    mona.comment(app.repo, 1, "Before");
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();

    app.github.faults.webhooks.drop = 1;
    for (let hour = 0; hour < 24; hour += 1) {
      await app.advance(HOUR);
      mona.editIssue(app.repo, 1 + (hour % 3), { body: `Hour ${String(hour)}` });
    }
    mona.closeIssue(app.repo, 2);
    mona.openIssue(app.repo, { title: "Fourth", body: "Born in the dark" });
    mona.comment(app.repo, 4, "Nobody heard this");
    const [before] = app.github.comments(app.repo, 1);
    if (before === undefined) throw new Error("there is no comment");
    mona.editComment(app.repo, before.id, "After");
    await app.settle();
    expect(await app.tasks()).toHaveLength(3);
    app.github.clearRequests();
    const known = (await app.events()).length;

    await app.tandem.syncNow();
    expect(app.reads()).toBe(2);
    await app.settle();

    const { tasks, issues } = await bothSides(app);
    expect(tasks).toEqual(issues);
    expect(tasks).toHaveLength(4);
    expect((await app.comments()).map(({ markdown }) => markdown).sort()).toEqual([
      "After",
      "Nobody heard this",
    ]);
    // One event for each thing that differs, however many edits of it were lost.
    const events = (await app.events()).slice(known);
    expect(events.map(({ source, state, reason }) => `${source} ${state} ${reason}`)).toEqual([
      "poll completed updated_record",
      "poll completed updated_record",
      "poll completed updated_record",
      "poll completed created_record",
      "poll completed updated_record",
      "poll completed created_record",
    ]);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(2);
  });

  it("S46 the next poll asks once for each type, is told that nothing changed, and makes no event", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "Found" });
    await app.tandem.syncNow();
    await app.settle();
    const told = await app.story();
    app.github.clearRequests();
    await app.tandem.syncNow();
    await app.settle();

    expect(await app.story()).toEqual(told);
    expect(app.github.requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
    expect(app.writes()).toBe(0);
  });

  it("S46 edits of both sides under lost webhooks: fields merge, and the loser is told", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Talk", body: "Old" });
    await app.settle();
    await app.tandem.syncNow();
    const { id } = await app.task();
    app.github.faults.webhooks.drop = 1;
    await app.advance(HOUR);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs", body: "Their text" });
    await app.advance(HOUR);
    await app.editTask(id, { title: "Ours", status: "doing" });
    await app.tandem.syncNow();
    await app.settle();

    expect(await app.task()).toMatchObject({
      title: "Ours",
      markdown: "Their text",
      status: "doing",
    });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours", body: "Their text" });
    const [merged] = (await app.events("direction=inbound")).slice(-1);
    expect(merged).toMatchObject({
      source: "poll",
      state: "completed",
      reason: "updated_record",
      conflicts: [{ field: "title", winner: "record", kept: "Ours", lost: "Theirs" }],
    });
    expect(app.writes()).toBe(1);
  });

  it("S46 an errored event whose error may pass heals with the poll, at the poll's pace", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Talk" });
    await app.settle();
    const { id } = await app.task();
    app.github.failNext({ method: "PATCH", with: 503 }, 20);
    await app.editTask(id, { title: "Ours" });
    await app.settleWithin(120);
    const [errored] = await app.events("state=errored");
    expect(errored).toMatchObject({ reason: "retries_exhausted", attempts: 10 });
    expect(app.writes()).toBe(10);

    // The event is retried once a cycle whatever its history: the poll is its backoff.
    for (let cycle = 1; cycle <= 3; cycle += 1) {
      await app.advance(60_000);
      await app.tandem.syncNow();
      await app.settle();
      expect(app.writes()).toBe(10 + cycle);
      expect(await app.events("state=errored")).toMatchObject([{ reason: "retries_exhausted" }]);
    }
    app.github.clearFaults();
    await app.advance(60_000);
    await app.tandem.syncNow();
    await app.settle();

    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours" });
    expect(await app.events("direction=outbound")).toMatchObject([
      { state: "completed", reason: "updated_resource" },
    ]);
    expect(app.writes()).toBe(14);
  });

  it("S46 without any webhook at all, over a long history: polls alone keep both sides the same", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    const mona = app.github.as("mona");
    for (let day = 1; day <= 12; day += 1) {
      const title = `Day ${String(day)}`;
      if (day % 3 === 0) await app.addTask({ title });
      else mona.openIssue(app.repo, { title });
      await app.advance(60_000);
      await app.tandem.syncNow();
      await app.settle();
      const number = 1 + ((day * 7) % day);
      mona.editIssue(app.repo, number, { body: `Edited on day ${String(day)}` });
      if (day % 4 === 0) mona.closeIssue(app.repo, number);
      const [task] = (await app.tasks()).slice((day * 5) % day);
      await app.advance(5_000);
      if (task !== undefined) await app.editTask(task.id, { title: `${task.title}!` });
      if (day % 5 === 0) mona.comment(app.repo, number, `Said on day ${String(day)}`);
      await app.advance(60_000);
      await app.tandem.syncNow();
      await app.settle();
    }
    await app.advance(60_000);
    await app.tandem.syncNow();
    await app.settle();

    const { tasks, issues } = await bothSides(app);
    expect(tasks).toHaveLength(12);
    expect(tasks).toEqual(issues);
    expect(await app.comments()).toHaveLength(2);
    for (const state of ["queued", "errored", "processing", "disabled"]) {
      expect(await app.events(`state=${state}`)).toEqual([]);
    }
    // Every write is a creation or an edit of somebody here, and none is an echo.
    expect(app.writes()).toBe(4 + 12);
  });
});
