/** Reconciling: what a dry run says is what the live run does, whatever has drifted. */
import { expect, it } from "vitest";
import type { PlannedAction } from "../../../src/engine/lifecycle/planned.ts";
import type { ApiEvent } from "../../../src/server/protocol/api-types.ts";
import { seededRandom } from "../../../src/testing/random.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { dieSending } from "../../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Four issues with a comment each, in step. */
async function givenPairs(database: TestDatabase): Promise<SampleTandem> {
  const app = await givenSampleTandem(database);
  for (let number = 1; number <= 4; number += 1) {
    app.github.as("mona").openIssue(app.repo, { title: `Issue ${String(number)}` });
    app.github.as("mona").comment(app.repo, number, `Comment ${String(number)}`);
  }
  await app.settle();
  await app.advance(60_000);
  app.github.clearRequests();
  return app;
}

/** Work that no trigger sees, such as a restore from a backup. */
async function unseen(app: SampleTandem, work: () => Promise<unknown>): Promise<void> {
  const tables = ["tasks", "comments"];
  for (const table of tables) await app.sql(`alter table ${table} disable trigger user`);
  await work();
  for (const table of tables) await app.sql(`alter table ${table} enable trigger user`);
}

/** One thing done, told the same way by a plan and by the ledger. */
function told(
  kind: string,
  { resource, record }: { readonly resource: string | null; readonly record: string | null },
  changes: PlannedAction["changes"] | ApiEvent["changes"],
): string {
  const onResource = kind.endsWith("_resource");
  const side = onResource ? "resource" : "record";
  const values = changes
    .filter((change) => change.side === side)
    .map(({ field, from, to }) => `${field}: ${JSON.stringify(from)} to ${JSON.stringify(to)}`);
  return `${kind} ${(onResource ? record : resource) ?? ""} ${values.sort().join(", ")}`.trim();
}

function tellPlan(actions: readonly PlannedAction[]): readonly string[] {
  return actions
    .map(({ kind, resourceType, externalId, recordType, recordId, changes }) =>
      told(
        kind,
        {
          resource: `${resourceType} ${externalId ?? ""}`,
          record: `${recordType} ${recordId ?? ""}`,
        },
        changes,
      ),
    )
    .sort();
}

const KINDS: Readonly<Record<string, string>> = {
  created_record: "create_record",
  updated_record: "update_record",
  archived_record: "archive_record",
  deleted_record: "delete_record",
  detached: "detach_record",
  created_resource: "create_resource",
  updated_resource: "patch_resource",
  closed_resource: "remove_resource",
  deleted_resource: "remove_resource",
};

function tellLedger(events: readonly ApiEvent[]): readonly string[] {
  return events
    .flatMap((event) => {
      const kind = KINDS[event.reason];
      if (kind === undefined) return [];
      const names = {
        resource: `${event.resource_type ?? ""} ${event.integration_external_id ?? ""}`,
        record: `${event.record_type} ${event.record_id ?? ""}`,
      };
      return [told(kind, names, event.changes)];
    })
    .sort();
}

/** Drift of every sort, drawn by a seed; no webhook tells of it and no trigger sees it. */
async function drift(app: SampleTandem, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const below = (most: number) => Math.floor(random() * most);
  app.github.faults.webhooks.drop = 1;
  const mona = app.github.as("mona");
  for (let count = 0; count < 10; count += 1) {
    await app.advance(1_000 * (1 + below(5)));
    const word = `drift ${String(seed)}.${String(count)}`;
    const issues = app.github.issues(app.repo);
    const issue = issues[below(issues.length)];
    const comments = app.github.comments(app.repo);
    const comment = comments[below(comments.length)];
    const tasks = await app.tasks();
    const task = tasks[below(tasks.length)];
    if (issue === undefined || task === undefined) continue;
    const remote = [
      () => mona.editIssue(app.repo, issue.number, { title: word }),
      () => mona.editIssue(app.repo, issue.number, { body: word }),
      () => mona.closeIssue(app.repo, issue.number),
      () => mona.openIssue(app.repo, { title: word }),
      () => mona.comment(app.repo, issue.number, word),
      () => (comment === undefined ? null : mona.editComment(app.repo, comment.id, word)),
      () => (comment === undefined ? null : mona.deleteComment(app.repo, comment.id)),
      () => (random() < 0.4 ? mona.deleteIssue(app.repo, issue.number) : null),
    ];
    const local = [
      () => app.sql("update tasks set title = $1 where id = $2", [word, task.id]),
      () => app.sql("update tasks set markdown = $1 where id = $2", [word, task.id]),
      () => app.sql("update tasks set status = 'done' where id = $1", [task.id]),
      () => app.addTask({ title: word, status: random() < 0.5 ? "done" : "todo" }),
      () => app.addComment(task.id, word),
      () => app.sql("update comments set markdown = $1 where task_id = $2", [word, task.id]),
      () => (random() < 0.4 ? app.sql("delete from tasks where id = $1", [task.id]) : null),
      () => app.sql("update tasks set deleted_at = now() where id = $1", [task.id]),
      () => app.sql("delete from comments where task_id = $1", [task.id]),
    ];
    if (random() < 0.5) remote[below(remote.length)]?.();
    else await unseen(app, () => local[below(local.length)]?.() ?? Promise.resolve());
  }
}

describeOnOneDatabase("reconciling a connection", (open) => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 35]) {
    it(`drift ${String(seed)}: the dry run's plan is what the live run did, change by change`, async () => {
      const app = await givenPairs(await open());
      await drift(app, seed);
      const before = await app.events();
      const tasks = await app.tasks();
      const issues = app.github.issues(app.repo);

      const dry = await app.tandem.reconcile(app.connection.id, { dryRun: true });
      expect(dry.applied).toBe(false);
      expect(app.writes()).toBe(0);
      expect(await app.events()).toEqual(before);
      expect(await app.tasks()).toEqual(tasks);
      expect(app.github.issues(app.repo)).toEqual(issues);
      const dryReads = app.reads();
      expect(dry.actions.length).toBeGreaterThan(0);

      const live = await app.tandem.reconcile(app.connection.id);
      expect(app.reads()).toBe(2 * dryReads);
      await app.settle();

      expect(live.applied).toBe(true);
      expect(tellPlan(live.actions)).toEqual(tellPlan(dry.actions));
      expect(tellLedger((await app.events()).slice(before.length))).toEqual(tellPlan(dry.actions));
      const writes = dry.actions.filter(({ kind }) => kind.endsWith("_resource")).length;
      expect(app.writes()).toBe(writes);
      expect(await app.events("state=queued")).toEqual([]);

      // It is in step now: there is nothing left to plan.
      const again = await app.tandem.reconcile(app.connection.id);
      await app.settle();
      expect(again.actions).toEqual([]);
      expect(app.writes()).toBe(writes);
    });
  }

  it("treats the resource of a record that is gone, though nothing told it, as that of a deleted one", async () => {
    const app = await givenPairs(await open());
    const [first] = await app.tasks();
    await unseen(app, async () => {
      await app.sql("delete from comments where task_id = $1", [first?.id]);
      await app.sql("delete from tasks where id = $1", [first?.id]);
    });
    await app.tandem.reconcile(app.connection.id);
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ state: "closed" });
    expect(app.github.issue(app.repo, 2)).toMatchObject({ state: "open" });
  });

  it("closes no issue for a record that is gone where the issue is gone as well: the pairing ends", async () => {
    const app = await givenPairs(await open());
    const [first] = await app.tasks();
    await unseen(app, async () => {
      await app.sql("delete from comments where task_id = $1", [first?.id]);
      await app.sql("delete from tasks where id = $1", [first?.id]);
    });
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").deleteIssue(app.repo, 1);
    const { actions } = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(actions.filter(({ kind }) => kind === "remove_resource")).toEqual([]);
  });

  it("leaves a deletion that was captured to the drain", async () => {
    const app = await givenPairs(await open());
    const [first] = await app.tasks();
    await app.sql("delete from comments where task_id = $1", [first?.id]);
    await app.sql("delete from tasks where id = $1", [first?.id]);
    const { actions } = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(actions).toEqual([]);
  });

  it("plans nothing, writes nothing and makes no event if both sides are in step", async () => {
    const app = await givenPairs(await open());
    const events = await app.events();
    const done = await app.tandem.reconcile(app.connection.id);
    await app.settle();

    expect(done).toEqual({
      listed: 8,
      unconfirmed: 0,
      actions: [],
      applied: true,
      held: false,
    });
    expect(await app.events()).toEqual(events);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(2);
  });

  it("tells of one create that landed twice the same as it does: one is taken, one is closed", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Written once" });
    const first = await dieSending(app, { method: "POST", path: /\/issues$/ });
    await app.advance(60_000);
    const second = await dieSending(app, { method: "POST", path: /\/issues$/ });
    // Neither was heard of, and nobody has looked for them since.
    app.github.faults.webhooks.drop = 1;
    first.apply();
    second.apply();
    app.github.clearRequests();

    const dry = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(dry.actions.map(({ kind, externalId }) => `${kind} ${externalId ?? ""}`)).toEqual([
      "close_surplus 2",
    ]);
    const live = await app.tandem.reconcile(app.connection.id);
    expect(live.actions).toEqual(dry.actions);
    await app.settleWithin(120);

    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, state: "open", title: "Written once" },
      { number: 2, state: "closed" },
    ]);
    expect(await app.tasks()).toMatchObject([{ title: "Written once", status: "todo" }]);
  });

  it("paused, nothing is planned for what is switched off", async () => {
    const app = await givenPairs(await open());
    await drift(app, 1);
    await app.tandem.pause(app.connection.id, "release day");
    const { actions } = await app.tandem.reconcile(app.connection.id, { dryRun: true });

    expect(actions.filter(({ kind }) => !kind.endsWith("_record"))).toEqual([]);
  });
});
