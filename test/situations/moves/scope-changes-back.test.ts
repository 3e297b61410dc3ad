/** Situation 68: a task is moved away, one of its comments is deleted meanwhile, and it is moved back. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import {
  APP,
  expectAtRest,
  givenComments,
  moveTo,
  type Pair,
  said,
  SITE,
} from "../../harness/projects.ts";

/** Two comments of the app's below a task that was moved to APP. */
async function givenMovedAway(app: Pair): Promise<string> {
  const id = await app.addComment(app.taskId, "Deleted later");
  await app.settle();
  expect(said(app, SITE)).toContain("Deleted later");
  await moveTo(app, "2");
  await app.settle();
  expect(said(app, APP)).toContain("Deleted later");
  return id;
}

describeOnOneDatabase("a comment that is deleted while its task is in another project", (open) => {
  it("S68 is gone on both sides once the task is moved back", async () => {
    const app = await givenComments(await open());
    const id = await givenMovedAway(app);
    await app.sql(`delete from comments where id = ${id}`);
    await app.settle();
    expect(said(app, APP)).not.toContain("Deleted later");
    expect(said(app, SITE)).toContain("Deleted later");
    await moveTo(app, "1");
    await app.settleWithin(10);

    expect(said(app, SITE)).toEqual(["I see it too.", "On it."]);
    expect(await app.story(`record=comments:${id}`)).toContain(
      "outbound completed deleted_resource",
    );
    await expectAtRest(app);
  });

  it("S68 stays where it was said while the task is away, whoever reconciles", async () => {
    const app = await givenComments(await open());
    const id = await givenMovedAway(app);
    await app.sql(`delete from comments where id = ${id}`);
    await app.settle();
    await app.tandem.reconcile(app.connection.id);
    await app.settle();
    expect(said(app, SITE)).toContain("Deleted later");
  });

  it("S68 is shown by a reconcile where nobody looked when the task came back, and removed", async () => {
    const app = await givenComments(await open());
    const id = await givenMovedAway(app);
    await app.sql(`delete from comments where id = ${id}`);
    await app.settle();
    const hide = (parent: string) =>
      app.sql(`update tandem.lanes set parent_external_id = '${parent}'
        where record_id = '${id}' and tombstone_record_moved = 'with_parent'`);
    await hide("0");
    await moveTo(app, "1");
    await app.settleWithin(10);
    await hide("1");
    expect(said(app, SITE)).toContain("Deleted later");

    const dry = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(dry.actions).toMatchObject([{ kind: "remove_resource", recordId: id }]);
    await app.tandem.reconcile(app.connection.id);
    await app.settle();
    expect(said(app, SITE)).toEqual(["I see it too.", "On it."]);
    await expectAtRest(app);
  });
});
