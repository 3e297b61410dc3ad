/** Reads that lag, that do not tell, or that come before what they should show. */
import { expect, it } from "vitest";
import { MILLISECOND } from "../../../src/model/instant.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenIssue } from "../../harness/sample-tandem.ts";

const READ_ISSUE = { method: "GET", path: /\/issues\/1$/ } as const;

describeOnOneDatabase("a read by id", (open) => {
  it("that shows what was so before the event is refused, and tried again", async () => {
    const app = await givenIssue(await open(), "Old");
    // Two edits of one second: which is the later, only a read tells.
    app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
    await app.settle();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    app.github.faults.api.staleReads = { rate: 1, lagMs: { min: 5_000, max: 5_000 } };
    await app.settle();

    const [, , waiting] = await app.events();
    expect(waiting).toMatchObject({
      state: "queued",
      reason: "retry",
      attempts: 1,
      error: { code: "stale_read", retryable: true },
    });
    expect(await app.task()).toMatchObject({ title: "First" });

    app.github.faults.api.staleReads.rate = 0;
    await app.settleWithin(60);
    expect(await app.task()).toMatchObject({ title: "Second" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Second" });
    expect(await app.copiedTitle(1)).toBe("Second");
    expect((await app.story()).slice(1)).toEqual([
      "inbound completed updated_record",
      "inbound completed updated_record",
    ]);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(2);
  });

  it("that does not show its event, of the same second, lets no write of ours cover it unseen", async () => {
    const app = await givenIssue(await open(), "Old");
    app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
    await app.settle();
    await app.advance(200);
    // The read is of before this edit, and its time does not tell.
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    app.github.faults.api.staleReads = { rate: 1, lagMs: { min: 100, max: 100 } };
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "First" });

    await app.sql("update tasks set title = 'Mine'");
    await app.settle();
    const [, , , waiting] = await app.events();
    expect(waiting).toMatchObject({
      direction: "outbound",
      state: "queued",
      reason: "reread_needed",
      attempts: 0,
    });
    expect(app.writes()).toBe(0);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Second" });

    app.github.faults.api.staleReads.rate = 0;
    await app.settleWithin(1);
    const [, , , looked] = await app.events();
    expect(looked).toMatchObject({
      state: "completed",
      conflicts: [{ field: "title", winner: "resource", kept: "Second", lost: "Mine" }],
    });
    expect(await app.task()).toMatchObject({ title: "Second" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Second" });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(2);
  });

  it("that finds nothing deletes nothing: the event is errored, and the next poll heals it", async () => {
    const app = await givenIssue(await open(), "Old");
    app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
    await app.settle();
    app.github.failNext({ ...READ_ISSUE, with: 404 });
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    await app.settleWithin(60);

    const [, , hidden] = await app.events();
    expect(hidden).toMatchObject({
      state: "errored",
      reason: "failed",
      error: { code: "not_found", httpStatus: 404, retryable: false },
    });
    expect(await app.task()).toMatchObject({ title: "First", deleted_at: null });

    await app.tandem.syncNow();
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Second", deleted_at: null });
    expect((await app.story()).slice(1)).toEqual([
      "inbound completed updated_record",
      "inbound canceled superseded",
      "inbound completed updated_record",
    ]);
    expect(app.writes()).toBe(0);
  });
});

describeOnOneDatabase("a comment that is listed before its issue is", (open) => {
  it("waits, and reads the issue itself when its deadline passes", async () => {
    const app = await givenIssue(await open(), "Old");
    app.github.faults.webhooks.drop = 1;
    await app.tandem.syncNow();
    app.github.clearRequests();
    const hold = app.github.holdNext({ method: "GET", path: /\/issues\/comments/ });
    const polled = app.tandem.syncNow();
    await hold.arrived;
    // The list of issues is behind us, that of comments still to come.
    app.github.as("mona").openIssue(app.repo, { title: "Young" });
    app.github.as("mona").comment(app.repo, 2, "Said");
    hold.release();
    await polled;
    await app.settle();

    const [first] = await app.events("state=queued");
    expect(first).toMatchObject({ direction: "inbound", reason: "awaiting_parent" });
    expect(await app.comments()).toEqual([]);
    expect(await app.tasks()).toHaveLength(1);

    await app.settleWithin(360);
    const [, young] = await app.tasks();
    expect(young).toMatchObject({ title: "Young" });
    expect(await app.comments()).toMatchObject([{ task_id: young?.id, markdown: "Said" }]);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed created_record",
      "inbound completed created_record",
    ]);
    expect(app.writes()).toBe(0);
    expect(app.github.calls({ method: "GET", path: /\/issues\/2$/ })).toBe(1);
  });
});

describeOnOneDatabase("a poll", (open) => {
  it("looks back ten minutes behind the latest time it has seen: lists are not read at one instant", async () => {
    const app = await givenIssue(await open(), "Old");
    await app.tandem.syncNow();
    const edited = app.github.as("mona").editIssue(app.repo, 1, { title: "New" });
    await app.tandem.syncNow();
    app.github.clearRequests();
    await app.tandem.syncNow();

    const lists = app.github.requests.filter(({ path }) => path.endsWith("/issues"));
    expect(lists).toHaveLength(1);
    const since = new URLSearchParams(lists[0]?.query).get("since") ?? "";
    expect(edited.updatedAt / MILLISECOND - Date.parse(since)).toBe(10 * 60_000);
  });
});
