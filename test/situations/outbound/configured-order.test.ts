/** A configuration may name tables in any order: parents come first all the same. */
import { expect, it } from "vitest";
import type { AnyConfig } from "../../../src/config.ts";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

/** Comments before the tasks that they are on. */
function childrenFirst(config: AnyConfig): AnyConfig {
  const { tasks, comments, ...others } = withoutAuthors(config).records;
  if (tasks === undefined || comments === undefined) throw new Error("the sample app has both");
  return { ...withoutAuthors(config), records: { ...others, comments, tasks } };
}

/** The paths of the lists that were requested, in order. */
const listed = (app: SampleTandem) =>
  app.github.requests.map(({ path }) => path.replace(/^.*\/issues/, "issues").replace(/\?.*/, ""));

describeOnOneDatabase("a configuration that names comments before tasks", (open) => {
  it("has issues polled before their comments, so that none waits for its task", async () => {
    const app = await givenSampleTandem(await open(), childrenFirst);
    app.github.faults.webhooks.drop = 1;
    await app.tandem.syncNow();
    await app.settle();
    app.github.as("mona").openIssue(app.repo, { title: "Issue" });
    app.github.as("mona").comment(app.repo, 1, "Comment");
    app.github.clearRequests();
    await app.tandem.syncNow();
    expect(listed(app)).toEqual(["issues", "issues/comments"]);
  });

  it("has a reconcile plan the task before its comment", async () => {
    const app = await givenSampleTandem(await open(), childrenFirst);
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "Issue" });
    app.github.as("mona").comment(app.repo, 1, "Comment");
    app.github.clearRequests();
    const { actions } = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(listed(app)).toEqual(["issues", "issues/comments"]);
    expect(actions.map(({ kind, recordType }) => `${kind} ${recordType}`)).toEqual([
      "create_record tasks",
      "create_record comments",
    ]);
  });

  it("has a new issue and its comment become records in the transaction that takes both in", async () => {
    const app = await givenSampleTandem(await open(), childrenFirst);
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "Issue" });
    app.github.as("mona").comment(app.repo, 1, "Comment");
    await app.release(...app.held());
    await translateDeliveries(app.tandem.services, "ada");
    const task = await app.task();
    expect(await app.comments()).toMatchObject([{ task_id: task.id, markdown: "Comment" }]);
  });
});
