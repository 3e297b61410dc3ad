/** What transfers left behind where the issue had been, as simulated histories found it. */
import { expect, it } from "vitest";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { APP, expectAtRest, givenComments, SITE, unfinished } from "../harness/projects.ts";

describeOnEachDatabase("an issue that is deleted where it was transferred to", (open) => {
  it("before its comments had followed: they are gone with it, as the sweep finds", async () => {
    const app = await givenComments(await open());
    app.holdWebhooks();
    app.github.as("acme").transferIssue(SITE, 1, APP);
    app.github.as("mona").deleteIssue(APP, 1);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settleWithin(10);
    expect((await app.task()).deleted_at).not.toBeNull();
    expect(await app.comments()).toHaveLength(2);

    await app.advance(60_000);
    await app.tandem.sweepNow();
    await app.settle();
    expect(await app.comments()).toEqual([]);
    expect(await app.story()).toContain("inbound completed deleted_record");
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});
