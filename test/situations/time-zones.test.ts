/** Columns that keep no zone with their times, in a database whose zone is not UTC. */
import { expect, it } from "vitest";
import type { AnyConfig } from "../../src/config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { describeOnOneMigratedDatabase, type TestDatabase } from "../harness/databases.ts";
import { inZone } from "../harness/database-settings.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

const KOLKATA = "Asia/Kolkata";

/** Stamps and soft deletes of the sample app without a zone. */
async function givenWallTimes(
  database: TestDatabase,
  change?: (config: AnyConfig) => AnyConfig,
): Promise<SampleTandem> {
  const zoned = await inZone(database, KOLKATA);
  await zoned.sql(SAMPLE_SCHEMA);
  await zoned.sql(`
    alter table tasks
      alter modified_at type timestamp, alter deleted_at type timestamp,
      alter modified_at drop default;
    alter table tasks alter modified_at set default tandem.now()`);
  return givenSampleTandem(zoned, change);
}

/** By how many seconds a column of the only task is behind the clock, read as an app in a zone does. */
async function secondsAgo(app: SampleTandem, column: string, zone = KOLKATA): Promise<number> {
  const [row] = await app.sql<{ seconds: number }>(
    `select round(extract(epoch from tandem.now() - (${column} at time zone '${zone}')))::integer as seconds
     from tasks`,
  );
  return row?.seconds ?? Number.NaN;
}

describeOnOneMigratedDatabase("columns without a time zone", (open) => {
  it("S61 are stamped in the zone in which the app writes them", async () => {
    const app = await givenWallTimes(await open());
    app.github.as("mona").openIssue(app.repo, { title: "There" });
    await app.settle();
    expect(Math.abs(await secondsAgo(app, "modified_at"))).toBeLessThan(10);

    await app.advance(60_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "There again" });
    await app.settle();
    expect(Math.abs(await secondsAgo(app, "modified_at"))).toBeLessThan(10);
  });

  it("S61 a stamp never moves backwards: an older edit of another field leaves it", async () => {
    const app = await givenWallTimes(await open());
    app.github.as("mona").openIssue(app.repo, { title: "There" });
    await app.settle();
    await app.advance(60_000);
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { body: "Edited there before" });
    await app.settle();
    await app.advance(600_000);
    const { id } = await app.task();
    await app.editTask(id, { title: "Edited here" });
    const [before] = await app.sql("select modified_at::text from tasks");
    await app.release(...app.held());
    await app.settle();

    expect(await app.task()).toMatchObject({
      title: "Edited here",
      markdown: "Edited there before",
    });
    expect(await app.sql("select modified_at::text from tasks")).toEqual([before]);
  });

  it("S61 a soft delete of ours says when it was, as the app would", async () => {
    const app = await givenWallTimes(await open());
    app.github.as("mona").openIssue(app.repo, { title: "There" });
    await app.settle();
    await app.advance(60_000);
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();
    expect(Math.abs(await secondsAgo(app, "deleted_at"))).toBeLessThan(10);
  });

  it("S61 the writer's own stamp says when it wrote: an edit that was made offline loses to a later one", async () => {
    const app = await givenWallTimes(await open());
    app.github.as("mona").openIssue(app.repo, { title: "There" });
    await app.settle();
    await app.advance(3_600_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Half an hour later" });
    await app.settle();
    const { id } = await app.task();
    await app.advance(1_800_000);
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "The latest" });
    await app.advance(600_000);
    await app.sql(
      `update tasks set title = 'Written offline',
         modified_at = (tandem.now() - interval '40 minutes')::timestamp
       where id = $1`,
      [id],
    );
    await app.release(...app.held());
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "The latest" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "The latest" });
  });

  it("S61 an app that writes UTC all the same says so", async () => {
    const app = await givenWallTimes(await open(), (config) => ({ ...config, timeZone: "UTC" }));
    app.github.as("mona").openIssue(app.repo, { title: "There" });
    await app.settle();
    expect(Math.abs(await secondsAgo(app, "modified_at", "UTC"))).toBeLessThan(10);
    const { id } = await app.task();
    await app.advance(600_000);
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "A minute before" });
    await app.advance(60_000);
    await app.sql(
      `update tasks set title = 'The latest',
         modified_at = tandem.now() at time zone 'UTC'
       where id = $1`,
      [id],
    );
    await app.release(...app.held());
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "The latest" });
  });
});
