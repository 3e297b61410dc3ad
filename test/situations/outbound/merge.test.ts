/** Situations 35 to 37: both sides change at the same time, and nothing is lost unseen. */
import { expect, it } from "vitest";
import { SAMPLE_SCHEMA } from "../../../src/demo/sample-schema.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { catchRequest } from "../../harness/in-flight.ts";
import { withLabels } from "../../harness/sample-labels.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const PATCH = { method: "PATCH", path: /\/issues\/1$/ };

interface Paired {
  readonly app: SampleTandem;
  readonly task: string;
}

async function givenPaired(database: TestDatabase): Promise<Paired> {
  const app = await givenSampleTandem(database);
  app.github.as("mona").openIssue(app.repo, { title: "Title", body: "Body" });
  await app.settle();
  await app.advance(5_000);
  app.github.clearRequests();
  const { id } = await app.task();
  return { app, task: id };
}

async function expectBoth(
  { app, task }: Paired,
  said: { readonly title: string; readonly body: string },
): Promise<void> {
  expect(await app.tasks()).toMatchObject([{ id: task, title: said.title, markdown: said.body }]);
  expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, ...said }]);
  expect(await app.pairings(task)).toMatchObject([{ in_sync: true, base: said }]);
}

/** The body of the only PATCH. */
function sent(app: SampleTandem): unknown {
  const bodies = app.github.requests.filter(({ method }) => method === "PATCH");
  return bodies.map(({ body }) => JSON.parse(body) as unknown);
}

describeOnOneDatabase("both sides at once", (open) => {
  it("S35 title edited locally, body edited remotely, at the same time: both survive", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "Our title" });
    app.github.as("mona").editIssue(app.repo, 1, { body: "Their body" });
    await app.advance(1_000);
    await app.github.answered();
    await app.settle();

    await expectBoth(paired, { title: "Our title", body: "Their body" });
    expect(sent(app)).toEqual([{ title: "Our title" }]);
    const events = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed updated_record",
      // Queued by the merge, which saw the edit before the drain did.
      "outbound canceled superseded",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
    ]);
    expect(events[1]?.changes).toEqual([
      { side: "record", field: "body", from: "Body", to: "Their body" },
    ]);
    expect(events[3]?.changes).toEqual([
      { side: "resource", field: "title", from: "Title", to: "Our title" },
    ]);
    expect(events.flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S35 the remote edit comes while our PATCH is in flight: its answer brings it", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    app.github.faults.webhooks.drop = 1;
    await app.editTask(task, { title: "Our title" });
    const { hold, done } = await catchRequest(app, PATCH);
    app.github.as("mona").editIssue(app.repo, 1, { body: "Their body" });
    hold.release();
    await done;
    await app.settle();

    await expectBoth(paired, { title: "Our title", body: "Their body" });
    const events = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed updated_resource",
    ]);
    expect(events[1]?.changes).toEqual([
      { side: "resource", field: "title", from: "Title", to: "Our title" },
      { side: "record", field: "body", from: "Body", to: "Their body" },
    ]);
    expect(events.flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S35 the same with its webhook before the answer: one re-read, nothing new", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "Our title" });
    const { hold, done } = await catchRequest(app, PATCH);
    app.github.as("mona").editIssue(app.repo, 1, { body: "Their body" });
    await app.settle();
    hold.release();
    await done;
    await app.settle();

    await expectBoth(paired, { title: "Our title", body: "Their body" });
    expect(sent(app)).toEqual([{ title: "Our title" }]);
    const events = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed updated_resource",
      "inbound duplicate nothing_new",
      "inbound duplicate same_content",
    ]);
    expect(events[2]).toMatchObject({ duplicate_of: events[1]?.id });
    expect(events.flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(2);
  });

  it("S36 title edited on both sides, ours later: ours wins, theirs is kept and shown", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(2_000);
    await app.editTask(task, { title: "Ours" });
    await app.release(...app.held());
    app.github.faults.webhooks.hold = false;
    await app.settle();

    await expectBoth(paired, { title: "Ours", body: "Body" });
    const events = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound ignored record_is_newer",
      // Queued by the merge, which saw the edit before the drain did.
      "outbound canceled superseded",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
    ]);
    expect(events[1]).toMatchObject({
      ignored_for_id: task,
      ignored_for_type: "tasks",
      conflicts: [
        { field: "title", winner: "record", kept: "Ours", lost: "Theirs", why: "both_changed" },
      ],
    });
    expect(events[3]?.changes).toEqual([
      { side: "resource", field: "title", from: "Theirs", to: "Ours" },
    ]);
    expect(app.writes()).toBe(1);
    expect(app.reads()).toBe(1);
  });

  it("S36 title edited on both sides, theirs later: theirs wins, ours is kept and shown", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "Ours" });
    await app.advance(2_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(50);
    await app.github.answered();
    await app.settle();

    await expectBoth(paired, { title: "Theirs", body: "Body" });
    const events = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed updated_record",
      "outbound completed nothing_to_send",
    ]);
    expect(events[1]).toMatchObject({
      changes: [{ side: "record", field: "title", from: "Ours", to: "Theirs" }],
      conflicts: [
        { field: "title", winner: "resource", kept: "Theirs", lost: "Ours", why: "both_changed" },
      ],
    });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  it("S36 the same within one second: GitHub's side wins, for its time says no more", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(100);
    await app.editTask(task, { title: "Ours" });
    await app.release(...app.held());
    await app.settle();

    await expectBoth(paired, { title: "Theirs", body: "Body" });
    expect((await app.events())[1]?.conflicts).toMatchObject([
      { field: "title", winner: "resource", kept: "Theirs", lost: "Ours" },
    ]);
    expect(app.writes()).toBe(0);
  });

  it("S36 both to the same title: agreed, no call", async () => {
    const paired = await givenPaired(await open());
    const { app, task } = paired;
    await app.editTask(task, { title: "Same" });
    app.github.as("mona").editIssue(app.repo, 1, { title: "Same" });
    await app.advance(50);
    await app.github.answered();
    await app.settle();

    await expectBoth(paired, { title: "Same", body: "Body" });
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed agreed",
      "outbound completed nothing_to_send",
    ]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(app.github.calls()).toBe(0);
  });
});

/** The sample app with a column of labels, which is a set to GitHub. */
async function givenLabels(database: TestDatabase, column: string): Promise<Paired> {
  await database.sql(SAMPLE_SCHEMA);
  await database.sql(`alter table tasks add column labels ${column}`);
  const app = await givenSampleTandem(database, withLabels);
  app.github.as("mona").openIssue(app.repo, { title: "Title", labels: ["bug", "urgent"] });
  await app.settle();
  await app.advance(5_000);
  app.github.clearRequests();
  const { id } = await app.task();
  return { app, task: id };
}

async function labelsOf(app: SampleTandem): Promise<unknown> {
  const [row] = await app.sql<{ labels: unknown }>("select to_jsonb(labels) as labels from tasks");
  return row?.labels;
}

for (const column of ["text[] not null default '{}'", "jsonb not null default '[]'"]) {
  const [type = ""] = column.split(" ");
  const literal = (labels: readonly string[]) =>
    type === "jsonb" ? JSON.stringify(labels) : `{${labels.join(",")}}`;

  describeOnOneDatabase(`labels in a column of ${type}`, (open) => {
    it("S37 labels: one added here, another removed there: both happen", async () => {
      const { app, task } = await givenLabels(await open(), column);
      expect(await labelsOf(app)).toEqual(["bug", "urgent"]);
      await app.sql(`update tasks set labels = $1::${type} where id = $2`, [
        literal(["bug", "urgent", "ours"]),
        task,
      ]);
      app.github.as("mona").removeLabel(app.repo, 1, "urgent");
      await app.advance(50);
      await app.github.answered();
      await app.settle();

      expect(await labelsOf(app)).toEqual(["bug", "ours"]);
      expect(app.github.issue(app.repo, 1)?.labels).toEqual(["bug", "ours"]);
      // Only what is added leaves: nothing can be taken off with it.
      const added = app.github.requests.filter(({ method }) => method === "POST");
      expect(added.map(({ body }) => JSON.parse(body) as unknown)).toEqual([{ labels: ["ours"] }]);
      expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
      expect(await app.story(`record=tasks:${task}`)).toEqual([
        "inbound completed created_record",
        // GitHub tells of a new issue once, and once more for each of its labels.
        "inbound duplicate same_content",
        "inbound duplicate same_content",
        "inbound completed updated_record",
        "outbound canceled superseded",
        "outbound completed updated_resource",
        "inbound duplicate same_content",
      ]);
      expect(app.writes()).toBe(1);
      expect(app.reads()).toBe(2);
    });

    it("S37 one removed here, another added there while our request is in flight: both happen", async () => {
      const { app, task } = await givenLabels(await open(), column);
      await app.sql(`update tasks set labels = $1::${type} where id = $2`, [
        literal(["bug"]),
        task,
      ]);
      const { hold, done } = await catchRequest(app, { method: "DELETE", path: /\/urgent$/ });
      hold.apply();
      await app.advance(2_000);
      app.github.as("mona").addLabel(app.repo, 1, "theirs");
      await app.settle();
      hold.release();
      await done;
      await app.settle();

      expect(await labelsOf(app)).toEqual(["bug", "theirs"]);
      expect(app.github.issue(app.repo, 1)?.labels).toEqual(["bug", "theirs"]);
      expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
      expect(app.writes()).toBe(1);
    });
  });
}
