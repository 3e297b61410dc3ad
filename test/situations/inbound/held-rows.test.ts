/** The app holds a row that Tandem is to write: nobody waits for it, and nothing of it is lost. */
import pg from "pg";
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

interface Held {
  readonly app: SampleTandem;
  /** The app commits. */
  readonly letGo: () => Promise<void>;
}

/** Two issues with a task each, the first of which the app holds in a transaction of its own. */
async function givenHeldTask(database: TestDatabase): Promise<Held> {
  const app = await givenSampleTandem(database);
  const mona = app.github.as("mona");
  mona.openIssue(app.repo, { title: "Held" });
  await app.settle();
  mona.openIssue(app.repo, { title: "Free" });
  await app.settle();
  await app.advance(2_000);
  const session = new pg.Client({ connectionString: database.url });
  await session.connect();
  await session.query("begin; select from tasks where id = 1 for update");
  return {
    app,
    async letGo() {
      await session.query("commit");
      await session.end();
    },
  };
}

describeOnOneDatabase("a row that the app holds", (open, kind) => {
  // PGlite has one session: nobody else can hold a row.
  const onServer = it.runIf(kind === "postgres");

  onServer("takes an edit when it is free, which delays nobody else's", async () => {
    const { app, letGo } = await givenHeldTask(await open());
    const mona = app.github.as("mona");
    mona.editIssue(app.repo, 1, { title: "Held, edited" });
    mona.editIssue(app.repo, 2, { title: "Free, edited" });
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ title: "Held" }, { title: "Free, edited" }]);
    expect(await app.events("state=queued")).toMatchObject([
      { record_id: "1", reason: "record_locked", attempts: 0 },
    ]);

    await letGo();
    await app.settleWithin(1);
    expect(await app.tasks()).toMatchObject([{ title: "Held, edited" }, { title: "Free, edited" }]);
    expect(await app.story("record=tasks:1")).toEqual([
      "inbound completed created_record",
      "inbound completed updated_record",
    ]);
    expect(app.writes()).toBe(0);
  });

  onServer("is archived when it is free, where its issue was deleted", async () => {
    const { app, letGo } = await givenHeldTask(await open());
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();
    expect(await app.events("state=queued")).toMatchObject([
      { record_id: "1", action: "delete", reason: "record_locked", attempts: 0 },
    ]);

    await letGo();
    await app.settleWithin(1);
    const [held, free] = await app.tasks();
    expect(held?.deleted_at).not.toBeNull();
    expect(free?.deleted_at).toBeNull();
    expect(await app.story("record=tasks:1")).toEqual([
      "inbound completed created_record",
      "inbound completed archived_record",
    ]);
    expect(app.writes()).toBe(0);
  });
});
