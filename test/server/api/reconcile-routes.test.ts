/** A reconcile answers over the API with its plan, action by action, and then that it was carried out. */
import { expect, it } from "vitest";
import type { ApiReconciliation } from "../../../src/server/protocol/api-types.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenIssue, type SampleTandem } from "../../harness/sample-tandem.ts";

async function reconcile(app: SampleTandem, query: string): Promise<ApiReconciliation> {
  const url = `http://localhost/api/connections/${app.connection.id}/reconcile${query}`;
  const answer = await app.tandem.fetch(new Request(url, { method: "POST" }));
  return (await answer.json()) as ApiReconciliation;
}

describeOnOneDatabase("a reconcile over the API", (open) => {
  it("says by a dry run what it would do, and does it without one", async () => {
    const app = await givenIssue(await open(), "Broken link");
    const { id } = await app.task();
    // A restore of the app's tables alone: no trigger sees it.
    await app.sql("alter table tasks disable trigger user");
    await app.sql("update tasks set title = 'From the dump'");
    await app.sql("alter table tasks enable trigger user");

    const dry = await reconcile(app, "?dry_run=true");
    expect(dry).toMatchObject({ applied: false });
    expect(dry.actions).toEqual([
      {
        kind: "patch_resource",
        record_type: "tasks",
        record_id: id,
        resource_type: "issue",
        integration_external_id: "1",
        changes: [{ side: "resource", field: "title", from: "Broken link", to: "From the dump" }],
        conflicts: [],
      },
    ]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Broken link" }]);

    const live = await reconcile(app, "");
    expect(live).toMatchObject({ applied: true, actions: dry.actions });
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "From the dump" }]);
    expect((await reconcile(app, "?dry_run=false")).actions).toEqual([]);
  });
});
