/** The founding rules F1 to F8, one story each; docs/founding-rules.md says where a rule is refined. */
import { expect, it } from "vitest";
import { translateDeliveries } from "../../src/runtime/receive/intake.ts";
import type { Delivery } from "../../src/testing/github/index.ts";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { withConflictPolicy } from "../harness/sample-policies.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

describeOnEachDatabase("the founding rules", (open) => {
  it("F1 an event with a later time exists: ignored, for that event", async () => {
    const app = await givenTask(await open());
    const [older, newer] = await editTwice(app, "Older", "Newer");
    await app.release(newer);
    await app.settle();
    await app.release(older);
    await app.settle();

    const [, later, ignored] = await app.events();
    expect(ignored).toMatchObject({
      state: "ignored",
      reason: "later_event",
      ignored_for_id: later?.id,
      ignored_for_type: "events",
    });
    expect(await app.task()).toMatchObject({ title: "Newer" });
  });

  it("F2 one with an equal time exists: duplicate of it, where it says the same", async () => {
    const app = await givenTask(await open());
    app.github.faults.webhooks.hold = true;
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited" });
    app.github.as("mona").assign(app.repo, 1, "mona");
    const [edited, assigned] = two(app.held());
    await app.release(edited);
    await app.settle();
    await app.release(assigned);
    await app.settle();

    const [, first, second] = await app.events();
    expect(first?.integration_updated_at).toBe(second?.integration_updated_at);
    expect(second).toMatchObject({ state: "duplicate", duplicate_of: first?.id });
  });

  it("F2 refined: equal time with other content is never dropped", async () => {
    const app = await givenTask(await open());
    app.github.faults.webhooks.hold = true;
    app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    const [first, second] = two(app.held());
    await app.release(first);
    await app.settle();
    await app.release(second);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Second" });
    expect((await app.events()).at(-1)).toMatchObject({ state: "completed" });
  });

  it("F3 the record was modified later: ignored, for the record", async () => {
    const app = await givenTask(await open(), "record");
    const task = await app.task();
    app.github.faults.webhooks.hold = true;
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(5_000);
    await app.editTask(task.id, { title: "Ours" });
    await app.release(...app.held());
    app.github.faults.webhooks.hold = false;
    await app.settle();

    const [, ignored] = await app.events("direction=inbound");
    expect(ignored).toMatchObject({
      state: "ignored",
      reason: "record_is_newer",
      ignored_for_id: task.id,
      ignored_for_type: "tasks",
      conflicts: [{ field: "title", winner: "record", lost: "Theirs", kept: "Ours" }],
    });
    expect(await app.task()).toMatchObject({ title: "Ours" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours" });
  });

  it("F4 events with an earlier time: canceled, by this one", async () => {
    const app = await givenTask(await open());
    const [older, newer] = await editTwice(app, "Older", "Newer");
    await app.release(older, newer);
    await app.settle();

    const [, canceled, completed] = await app.events();
    expect(canceled).toMatchObject({
      state: "canceled",
      reason: "superseded",
      canceled_by: completed?.id,
    });
    expect(completed).toMatchObject({ state: "completed", reason: "updated_record" });
    expect(await app.task()).toMatchObject({ title: "Newer" });
  });

  it("F5 and F7 another is processing: queued, and looked for when that one completes", async () => {
    const app = await givenTask(await open());
    const task = await app.task();
    await app.advance(5_000);
    await app.editTask(task.id, { title: "Ours" });
    const hold = app.github.holdNext({ method: "PATCH" });
    const working = app.tandem.settle();
    await hold.arrived;
    app.github.as("mona").editIssue(app.repo, 1, { body: "Theirs" });
    await app.advance(50);
    await app.github.answered();
    await translateDeliveries(app.tandem.services, null);

    expect(await app.story("state=processing")).toEqual(["outbound processing being_processed"]);
    expect(await app.story("state=queued")).toEqual(["inbound queued reread_needed"]);

    hold.release();
    await working;
    await app.settle();
    expect(await app.story("state=queued")).toEqual([]);
    expect(await app.task()).toMatchObject({ title: "Ours", markdown: "Theirs" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours", body: "Theirs" });
  });

  it("F6 when processing: the record is created, then updated, through its pairing", async () => {
    const app = await givenTask(await open());
    const before = await app.task();
    await app.advance(5_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Renamed" });
    await app.settle();

    expect(await app.task()).toMatchObject({ id: before.id, title: "Renamed" });
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed updated_record",
    ]);
    const [created, updated] = await app.events();
    expect(updated).toMatchObject({
      record_id: before.id,
      integration_record_id: created?.integration_record_id,
    });
  });

  it("F8 the record was updated while the event was on its way: checked again as it is written", async () => {
    const app = await givenTask(await open(), "record");
    const task = await app.task();
    app.github.faults.webhooks.hold = true;
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs, again" });
    const [first, second] = two(app.held());
    await app.release(first);
    await app.settle();
    await app.release(second);
    // Its time is not new, so the resource is read; the app writes while that read is on its way.
    const hold = app.github.holdNext({ method: "GET" });
    const working = app.tandem.settle();
    await hold.arrived;
    await app.advance(5_000);
    await app.editTask(task.id, { title: "Ours" });
    hold.release();
    await working;
    app.github.faults.webhooks.hold = false;
    await app.settle();

    expect(await app.story("state=ignored")).toEqual(["inbound ignored record_is_newer"]);
    expect(await app.task()).toMatchObject({ title: "Ours" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours" });
  });
});

async function givenTask(
  database: Parameters<typeof givenSampleTandem>[0],
  conflict: "field" | "record" = "field",
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, withConflictPolicy(conflict));
  app.github.as("mona").openIssue(app.repo, { title: "Old", body: "" });
  await app.settle();
  // Later edits fall in another second.
  await app.advance(5_000);
  return app;
}

/** Two edits a few seconds apart, their webhooks held. */
async function editTwice(
  app: SampleTandem,
  older: string,
  newer: string,
): Promise<readonly [Delivery, Delivery]> {
  await app.advance(5_000);
  app.github.faults.webhooks.hold = true;
  app.github.as("mona").editIssue(app.repo, 1, { title: older });
  await app.advance(5_000);
  app.github.as("mona").editIssue(app.repo, 1, { title: newer });
  return two(app.held());
}

function two(deliveries: readonly Delivery[]): readonly [Delivery, Delivery] {
  const [first, second, ...rest] = deliveries;
  if (first === undefined || second === undefined || rest.length > 0) {
    throw new Error(`${String(deliveries.length)} deliveries are held, not two`);
  }
  return [first, second];
}
