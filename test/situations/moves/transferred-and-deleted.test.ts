/** Situation 69: transferred unreported, deleted there unreported, then commented here. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { APP, ELSEWHERE, givenPaired, SITE, transfer } from "../../harness/projects.ts";

describeOnOneDatabase("a task whose issue was transferred and deleted unheard", (open) => {
  it("S69 is commented on here: the comment ends with its parent's deletion", async () => {
    const app = await givenPaired(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    app.github.as("acme").deleteIssue(APP, 1);
    app.github.clearFaults();
    const id = await app.addComment(app.taskId, "Written here");
    await app.settleWithin(20);

    expect(await app.task()).toMatchObject({ title: "Broken link" });
    expect((await app.task()).deleted_at).not.toBeNull();
    expect(await app.story(`record=comments:${id}`)).toEqual(["outbound ignored parent_deleted"]);
    expect(await app.events(`record=comments:${id}`)).toMatchObject([{ error: null }]);
    expect(await app.events("state=errored")).toEqual([]);
  });
});

describeOnOneDatabase("a task whose issue was transferred out of reach unheard", (open) => {
  it.each([
    [APP, "move_record"],
    [ELSEWHERE, "detach_record"],
  ])("S41 to %s is told by a dry run as %s, which changes nothing", async (to, kind) => {
    const app = await givenPaired(await open());
    if (to === ELSEWHERE) app.github.createRepository({ owner: "acme", name: "elsewhere" });
    app.holdWebhooks();
    transfer(app, SITE, 1, to);
    const { actions } = await app.tandem.reconcile(app.connection.id, { dryRun: true });

    const record = { recordType: "tasks", recordId: app.taskId };
    const resource = { resourceType: "issue", externalId: "1" };
    expect(actions).toEqual([{ kind, ...record, ...resource, changes: [], conflicts: [] }]);
    expect(await app.pairings(app.taskId)).toMatchObject([{ integration_external_id: "1" }]);
  });
});
