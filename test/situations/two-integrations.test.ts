/** Situation 70: two counterparts of one record edit the same field; the later edit wins in every order. */
import { expect, it } from "vitest";
import { DirectorySnapshot } from "../../src/runtime/services/directory-snapshot.ts";
import { claimDue } from "../../src/runtime/worker/claim-due.ts";
import { drainChanges } from "../../src/runtime/outbound/drain.ts";
import { processClaimed } from "../../src/runtime/worker/process-claimed.ts";
import { translateDeliveries } from "../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase, type TestDatabase } from "../harness/databases.ts";
import { APP, join, SITE } from "../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

/** A task with an issue in each of two repositories. */
async function givenTwoIssues(database: TestDatabase): Promise<SampleTandem> {
  const app = await givenSampleTandem(database);
  app.github.createRepository({ owner: "acme", name: "app" });
  await join(app, APP, "1");
  await app.addTask({ title: "As it was" });
  await app.settle();
  await app.advance(60_000);
  await app.tandem.syncNow();
  await app.settle();
  app.holdWebhooks();
  return app;
}

/** Takes in webhooks and merges them, without a drain. */
async function merge({ tandem: { services } }: SampleTandem): Promise<void> {
  await translateDeliveries(services, null);
  const book = await DirectorySnapshot.open(services);
  for (;;) {
    const claims = await claimDue(services, book, "merges", 60_000, 4);
    if (claims.length === 0) return;
    for (const claimed of claims) {
      await processClaimed(services, claimed, book, new AbortController().signal);
    }
  }
}

const ORDERS = [SITE, APP].flatMap((later) =>
  (["earlier first", "later first"] as const).flatMap((order) =>
    (["drained between", "not drained"] as const).map((drain) => ({ later, order, drain })),
  ),
);

describeOnOneDatabase("two integrations on one record edit the same field", (open) => {
  it.each(ORDERS)("S70 the later edit is that of $later, merged $order, $drain", async (told) => {
    const app = await givenTwoIssues(await open());
    const earlier = told.later === SITE ? APP : SITE;
    const mona = app.github.as("mona");
    mona.editIssue(earlier, 1, { title: "The earlier edit" });
    await app.advance(10_000);
    mona.editIssue(told.later, 1, { title: "The later edit" });
    await app.advance(10_000);

    const [first, second] = app.held();
    if (first === undefined || second === undefined) throw new Error("two webhooks are held");
    const deliveries = told.order === "earlier first" ? [first, second] : [second, first];
    for (const delivery of deliveries) {
      await app.release(delivery);
      await merge(app);
      if (told.drain === "drained between") await drainChanges(app.tandem.services);
    }
    app.github.faults.webhooks.hold = false;
    await app.settleWithin(5);

    expect(await app.task()).toMatchObject({ title: "The later edit" });
    for (const repository of [SITE, APP]) {
      expect(app.github.issues(repository).map(({ title }) => title)).toEqual(["The later edit"]);
    }
    const lost = (await app.events()).flatMap(({ conflicts }) => conflicts);
    if (told.order === "later first") {
      expect(lost).toContainEqual(
        expect.objectContaining({ field: "title", lost: "The earlier edit" }),
      );
    }
  });
});
