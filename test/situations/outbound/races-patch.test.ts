/** Situations 22 and 23: a write of ours under way while somebody else writes, or unanswered. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { catchRequest } from "../../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const PATCH = { method: "PATCH", path: /\/issues\/1$/ };
/** How long the adapter waits for an answer. */
const TIMEOUT_MS = 30_000;

interface Paired {
  readonly app: SampleTandem;
  readonly task: string;
}

/** Mona's issue "A" with its task, at rest for a while. */
async function givenPaired(database: TestDatabase): Promise<Paired> {
  const app = await givenSampleTandem(database);
  app.github.as("mona").openIssue(app.repo, { title: "A", body: "Text" });
  await app.settle();
  await app.advance(5_000);
  app.github.clearRequests();
  const { id } = await app.task();
  return { app, task: id };
}

async function expectBoth({ app, task }: Paired, title: string): Promise<void> {
  expect(await app.tasks()).toMatchObject([{ id: task, title, markdown: "Text" }]);
  expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, title, body: "Text" }]);
  const [pairing] = await app.pairings(task);
  expect(pairing).toMatchObject({ in_sync: true, base: { title } });
}

describeOnOneDatabase("our write and theirs", (open) => {
  it("S22 our PATCH is in flight and someone reverts on GitHub: the revert wins", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "L" });
    const { hold, done } = await catchRequest(app, PATCH);
    hold.apply();
    await app.advance(2_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "A" });
    await app.settle();
    hold.release();
    await done;
    await app.settle();

    await expectBoth(paired, "A");
    const [, sent, , revert] = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed updated_resource",
      "inbound canceled superseded",
      "inbound completed updated_record",
    ]);
    expect(sent?.changes).toEqual([{ side: "resource", field: "title", from: "A", to: "L" }]);
    expect(revert?.changes).toEqual([{ side: "record", field: "title", from: "L", to: "A" }]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(2);
  });

  it("S22 the same within one second, which GitHub's times cannot tell apart", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "L" });
    const { hold, done } = await catchRequest(app, PATCH);
    hold.apply();
    app.github.as("mona").editIssue(app.repo, 1, { title: "A" });
    await app.settle();
    hold.release();
    await done;
    await app.settle();

    await expectBoth(paired, "A");
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed updated_resource",
      "inbound canceled superseded",
      "inbound completed updated_record",
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(2);
  });

  it("S22 the same where only a poll tells of the revert", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    app.github.faults.webhooks.drop = 1;
    await app.editTask(task, { title: "L" });
    const { hold, done } = await catchRequest(app, PATCH);
    hold.apply();
    app.github.as("mona").editIssue(app.repo, 1, { title: "A" });
    hold.release();
    await done;
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();

    await expectBoth(paired, "A");
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed updated_resource",
      "inbound completed updated_record",
    ]);
    expect(app.writes()).toBe(1);
  });

  it("S22 an edit of theirs that our PATCH covers is kept as a conflict", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "L" });
    const { hold, done } = await catchRequest(app, PATCH);
    app.github.as("mona").editIssue(app.repo, 1, { title: "R" });
    await app.advance(2_000);
    hold.release();
    await done;
    await app.settle();

    await expectBoth(paired, "L");
    const events = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed updated_resource",
      "inbound ignored later_event",
      "inbound duplicate same_content",
    ]);
    expect(events[2]).toMatchObject({
      ignored_for_id: events[1]?.id,
      ignored_for_type: "events",
      conflicts: [
        { field: "title", winner: "record", kept: "L", lost: "R", why: "covered_by_our_write" },
      ],
    });
    expect(app.writes()).toBe(1);
    // Before ours leaves; and theirs, which is older, and nobody knew what it said.
    expect(app.reads()).toBe(2);
  });

  it("S23 our PATCH timed out but was applied: no second write, no conflict", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    app.github.faults.webhooks.drop = 1;
    await app.editTask(task, { title: "L" });
    const { hold, done } = await catchRequest(app, PATCH);
    hold.apply();
    await app.advance(TIMEOUT_MS);
    await done;
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound queued retry",
    ]);
    await app.settleWithin(1);

    await expectBoth(paired, "L");
    const [, sent] = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed updated_resource",
    ]);
    expect(sent).toMatchObject({
      attempts: 2,
      changes: [{ side: "resource", field: "title", from: "A", to: "L" }],
      conflicts: [],
      error: null,
    });
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(2);
  });

  it("S23 the same where its echo comes before the retry", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "L" });
    const { hold, done } = await catchRequest(app, PATCH);
    hold.apply();
    await app.advance(TIMEOUT_MS);
    await done;
    await app.settleWithin(1);

    await expectBoth(paired, "L");
    const events = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed nothing_to_send",
      "inbound completed agreed",
    ]);
    expect(events.flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(2);
  });

  it("S23 the same with another local edit meanwhile: that one is sent", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    app.github.faults.webhooks.drop = 1;
    await app.editTask(task, { title: "L1" });
    const { hold, done } = await catchRequest(app, PATCH);
    hold.apply();
    await app.editTask(task, { title: "L2" });
    await app.advance(TIMEOUT_MS);
    await done;
    await app.settleWithin(1);

    await expectBoth(paired, "L2");
    const events = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound canceled superseded",
      "outbound completed updated_resource",
    ]);
    expect(events[1]).toMatchObject({ canceled_by: events[2]?.id });
    expect(events.flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(2);
  });

  it("S23 the same where it lands after the retry's look: the record's later value stays", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "L1" });
    const { hold, done } = await catchRequest(app, PATCH);
    await app.advance(TIMEOUT_MS);
    await done;
    await app.editTask(task, { title: "L2" });
    await app.settleWithin(1);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "L2" });
    await app.advance(5_000);
    hold.apply();
    await app.settle();

    await expectBoth(paired, "L2");
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound canceled superseded",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
      "inbound ignored record_is_newer",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
    ]);
    const late = (await app.events())[4];
    expect(late).toMatchObject({
      ignored_for_id: task,
      ignored_for_type: "tasks",
      conflicts: [{ field: "title", winner: "record", kept: "L2", lost: "L1", why: "late_write" }],
    });
    // The one that landed late, the later value, and the later value once more.
    expect(app.writes()).toBe(3);
  });
});
