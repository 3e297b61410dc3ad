/**
 * The schedules that refute the models of parents, transfers and moves (`spec/traces`), run against the
 * runtime. Each ends well. Without the rule it does not: `npm run mutants` holds these tests to that.
 */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../harness/databases.ts";
import { APP, expectAtRest, givenPaired, issuesOf, join, SITE } from "../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";
import { moveSteps } from "../spec/move-steps.ts";
import {
  inboundFamily,
  outboundFamily,
  takeSteps,
  THERE,
  transferSteps,
} from "../spec/runtime-steps.ts";
import { readTrace, refutedRows } from "../spec/traces.ts";

const families = refutedRows.filter(({ model }) => model === "parent");
const inbound = families.filter(({ bounds }) => bounds.startsWith("INBOUND"));
const outbound = families.filter(({ bounds }) => bounds.startsWith("OUTBOUND"));
// `scope-changes-raced.test.ts` tests the schedules that split within one drain.
const moves = refutedRows.filter(
  ({ model, bounds }) => model === "move" && !bounds.includes("DRAINS"),
);
const transfers = refutedRows.filter(({ model }) => model === "transfer");

/** Steps that only the model without the rule has a reason for. */
const ONLY_WITHOUT: Readonly<Record<string, readonly string[]>> = {
  "no-parent-ended-inbound": ["start the child"],
  // The removal has been taken back.
  "no-move-take-back": ["start the removal at A", "the request lands at A", "the answer from A"],
  "no-behind": ["start the stranger at the old place"],
};

/** Finishes all remaining work, and then compares everything. */
async function comeToRest(app: SampleTandem, polls = true): Promise<void> {
  app.github.faults.webhooks.hold = false;
  await app.settleWithin(120);
  if (polls) await app.tandem.syncNow();
  await app.settleWithin(5);
  await app.advance(60_000);
  await app.tandem.sweepNow();
  await app.settleWithin(5);
  expect(await app.sql("select id from tandem.events_live")).toEqual([]);
}

/** As many tasks as open issues, and as many comments below them as there. */
async function expectFamily(app: SampleTandem, many: number): Promise<void> {
  const open = app.github.issues(app.repo).filter(({ state }) => state === "open");
  expect(open).toHaveLength(many);
  const tasks = (await app.tasks()).filter((task) => task.deleted_at === null);
  expect(tasks).toHaveLength(many);
  const living = new Set(tasks.map(({ id }) => id));
  const comments = (await app.comments()).filter(({ task_id }) => living.has(task_id));
  expect(comments).toHaveLength(many);
  const below = open.flatMap(({ number }) => app.github.comments(app.repo, number));
  expect(below).toHaveLength(many);
}

async function givenTransferable(database: TestDatabase): Promise<SampleTandem> {
  const app = await givenSampleTandem(database);
  await app.sql("insert into projects (name) values ('App')");
  app.github.createRepository({ owner: "acme", name: "app" });
  await join(app, THERE, "2");
  app.github.as("mona").openIssue(app.repo, { title: "0" });
  await app.settle();
  await app.advance(60_000);
  await app.tandem.syncNow();
  await app.settle();
  await app.advance(60_000);
  return app;
}

describeOnOneDatabase("the runtime ends well on the schedule that refutes a model", (open) => {
  it("which exists for each kind of model", () => {
    const lengths = [inbound, outbound, transfers, moves].map((rows) => rows.length);
    expect(lengths).toEqual([3, 3, 4, 8]);
  });

  it.each(inbound)("$name", async (row) => {
    const app = await givenSampleTandem(await open());
    const polls = !row.bounds.includes("NO_POLL");
    const { steps } = await readTrace(row);
    const leftOut = await takeSteps(inboundFamily(app, polls), steps);
    await comeToRest(app, polls);
    await expectFamily(app, row.bounds.includes("NC=1") ? 0 : 1);
    expect(leftOut).toEqual(ONLY_WITHOUT[row.name] ?? []);
  });

  it.each(outbound)("$name", async (row) => {
    const app = await givenSampleTandem(await open());
    const { steps } = await readTrace(row);
    const leftOut = await takeSteps(await outboundFamily(app), steps);
    await comeToRest(app);
    await expectFamily(app, row.bounds.includes("ND=1") ? 0 : 1);
    expect(leftOut).toEqual(ONLY_WITHOUT[row.name] ?? []);
  });

  it.each(transfers)("$name", async (row) => {
    const app = await givenTransferable(await open());
    const [task] = await app.tasks();
    const { steps } = await readTrace(row);
    const leftOut = await takeSteps(transferSteps(app), steps);
    await comeToRest(app);
    const [issue] = app.github.issues(THERE);
    expect(app.github.issues(app.repo)).toEqual([]);
    expect(await app.tasks()).toMatchObject([
      { id: task?.id, project_id: "2", title: issue?.title, deleted_at: null },
    ]);
    expect(await app.pairings(task?.id ?? "")).toMatchObject([
      { connection: THERE, in_sync: true },
    ]);
    expect(leftOut).toEqual(ONLY_WITHOUT[row.name] ?? []);
  });

  it.each(moves)("$name", async (row) => {
    const app = await givenPaired(await open());
    const { steps } = await readTrace(row);
    const schedule = steps.slice(0, steps.indexOf("faults stop"));
    const leftOut = await takeSteps(moveSteps(app), schedule);
    await comeToRest(app);
    const { project_id: project, title } = await app.task();
    const opens = [SITE, APP].map((place) =>
      issuesOf(app, place).filter((issue) => issue.startsWith("open")),
    );
    expect(opens).toEqual(["1", "2"].map((one) => (one === project ? [`open: ${title}`] : [])));
    const living = (await app.pairings(app.taskId)).filter(({ in_sync }) => in_sync);
    expect(living).toHaveLength(project === "3" ? 0 : 1);
    // An edit at the issue that was left is the task's, or it is named.
    if (schedule.includes("remote edit at A")) {
      const lost = (await app.events()).flatMap(({ conflicts }) =>
        conflicts.map((one) => one.lost),
      );
      expect([title, ...lost]).toContain("Theirs");
    }
    expect(leftOut).toEqual(ONLY_WITHOUT[row.name] ?? []);
    await expectAtRest(app);
  });
});
