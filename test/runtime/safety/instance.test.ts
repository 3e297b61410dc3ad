/** Approving a copied database: everything is read again before anything is sent. */
import { expect, it } from "vitest";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { connect } from "../../harness/projects.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("an approved database", (open) => {
  it("has every connection listed again, as if it had never been polled or swept", async () => {
    const app = await givenSampleTandem(await open());
    await connect(app, "acme/app", "1");
    for (const repository of [app.repo, "acme/app"]) {
      app.github.as("mona").openIssue(repository, { title: "One" });
    }
    for (let turn = 0; turn < 3; turn += 1) {
      await app.settle();
      await app.advance(60_000);
      await app.tandem.syncNow();
    }
    await app.tandem.sweepNow();
    await app.tandem.sweepRecordsNow();
    const marks = async () =>
      (await DirectorySnapshot.open(app.tandem.services)).contacts.map(({ connection }) => {
        const { highWater, etags, polledAt, sweptAt, localSweptAt } = connection;
        return [Object.keys(highWater), Object.keys(etags), polledAt, sweptAt, localSweptAt];
      });
    const now = app.clock.now();
    expect(await marks()).toMatchObject([
      [["issue"], expect.arrayContaining(["issue"]), now, now, now],
      [["issue"], expect.arrayContaining(["issue"]), now, now, now],
    ]);
    await app.tandem.approveInstance();
    expect(await marks()).toEqual([
      [[], [], null, null, null],
      [[], [], null, null, null],
    ]);
  });
});
