/** `tandem explain`: one sentence for each pairing, true in each of the states a pairing can be in. */
import { expect, it } from "vitest";
import type { ApiExplanation } from "../../../src/server/protocol/api-types.ts";
import type { AnyConfig } from "../../../src/config.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

async function standing(app: SampleTandem, task: string): Promise<string | undefined> {
  return (await app.pairings(task))[0]?.standing;
}

describeOnOneDatabase("the standing of a pairing", (open) => {
  it("says since when both sides agree", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Agreed" });
    await app.settle();
    expect(await standing(app, task)).toMatch(/^Both sides agree since 2026-/);
  });

  it("names the fields that differ while nothing is queued", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Agreed" });
    await app.settle();
    // A restore of the app's tables alone: no trigger sees it.
    await app.sql("alter table tasks disable trigger user");
    await app.sql("update tasks set title = 'From the dump', status = 'done'");
    await app.sql("alter table tasks enable trigger user");
    expect(await standing(app, task)).toBe(
      "The record differs in title, state and nothing is queued.",
    );
    expect((await app.pairings(task))[0]?.in_sync).toBe(false);
  });

  it("says that the record is gone where no trigger saw it go", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Agreed" });
    await app.settle();
    await app.sql("alter table tasks disable trigger user");
    await app.sql("delete from tasks");
    await app.sql("alter table tasks enable trigger user");
    expect(await standing(app, task)).toBe("The record is gone.");
  });

  it("says that an outcome is unknown, and later what failed", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Agreed" });
    await app.settle();
    app.github.failNext({ method: "PATCH", with: 503 });
    await app.editTask(task, { title: "Edited" });
    await app.settle();
    expect(await standing(app, task)).toMatch(/^A request was sent and its outcome is unknown/);

    app.github.failNext({ method: "PATCH", with: 422 });
    await app.settleWithin(10);
    expect(await standing(app, task)).toMatch(/^Failed: GitHub answered 422 to PATCH .*\. \S/);
  });

  it("says when a queued change is due", async () => {
    const app = await givenSampleTandem(await open());
    app.github.revokeToken("ghs_test");
    const task = await app.addTask({ title: "Waits" });
    await app.tandem.settle();
    expect(await standing(app, task)).toMatch(
      /^A change of the record is queued\. .* Due at 2026-\S+\.$/,
    );
  });

  it("says when the record was deleted", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "Deleted" });
    await app.settle();
    await app.sql("delete from tasks");
    await app.settle();
    expect(await standing(app, task)).toMatch(
      /^The record was deleted at 2026-.*; the pairing has ended\.$/,
    );
  });
});

describeOnOneDatabase("the journal in an explanation", (open) => {
  it("is that of the table asked for: another table's row may have the same id", async () => {
    const app = await givenSampleTandem(await open(), (config: AnyConfig) => ({
      ...config,
      records: {
        ...config.records,
        projects: { journal: true, columns: ["name"] },
        users: { journal: true, columns: ["name"] },
      },
    }));
    await app.sql("update projects set name = 'Site two' where id = 1");
    await app.sql("update users set name = 'Mona Lisa' where id = 1");
    await app.settle();
    const response = await app.tandem.fetch(new Request("http://localhost/api/explain/projects/1"));
    const { journal } = (await response.json()) as ApiExplanation;
    expect(journal).toMatchObject([{ record_type: "projects", record_id: "1" }]);
  });
});
