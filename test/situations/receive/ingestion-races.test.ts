/** Webhooks that are ingested as they are stored, beside creates, moves and the app's own code. */
import pg from "pg";
import { expect, it } from "vitest";
import { BODY_LIMIT } from "../../../src/integrations/github/index.ts";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { catchRequest, POST_COMMENT } from "../../harness/in-flight.ts";
import { APP, connect, SITE } from "../../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { givenSentTask } from "../../harness/sent-tasks.ts";
import { takeIn } from "../../harness/take-in.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

/** A comment that leaves no room for its token. */
const FULL = "x".repeat(BODY_LIMIT - 10);

/** An issue with a comment, both paired. */
async function givenIssue(database: TestDatabase, more = ""): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, withoutAuthors, { takesIn: () => "receiver" });
  if (more !== "") {
    await app.sql("insert into projects (name) values ('App')");
    await connect(app, more, "2");
  }
  app.github.as("mona").openIssue(SITE, { title: "A" });
  await app.settle();
  app.github.as("mona").comment(SITE, 1, "I see it too.");
  await app.settle();
  await app.advance(60_000);
  app.holdWebhooks();
  return app;
}

describeOnOneDatabase("a webhook that is ingested as it comes", (open, kind) => {
  if (kind === "postgres") {
    it("is the echo of a create without its token, left for its parent's lane is held: one comment", async () => {
      const database = await open();
      const app = await givenSampleTandem(database, withoutAuthors, { takesIn: () => "receiver" });
      const task = await givenSentTask(app);
      app.holdWebhooks();
      await app.addComment(task, FULL);
      const { land, answer } = await catchRequest(app, POST_COMMENT);
      await land();
      const other = new pg.Client({ connectionString: database.url });
      await other.connect();
      await other.query("begin; select from tandem.lanes where resource_type = 'issue' for update");
      await takeIn(app);
      await other.end();
      await translateDeliveries(app.tandem.services, "receiver");
      await answer();
      await app.settle();
      expect(await app.comments()).toHaveLength(1);
      expect(await app.events("state=errored")).toEqual([]);
    });
  }

  if (kind === "postgres") {
    it("is an issue that somebody else is making a lane for: it is left for its turn, and nobody waits", async () => {
      const database = await open();
      const app = await givenSampleTandem(database, withoutAuthors, { takesIn: () => "receiver" });
      app.holdWebhooks();
      app.github.as("mona").openIssue(SITE, { title: "Contested" });
      app.github.as("mona").openIssue(SITE, { title: "Free" });
      await app.settle();
      const [contested, free] = app.held();
      if (contested === undefined || free === undefined) throw new Error("two webhooks are held");
      const other = new pg.Client({ connectionString: database.url });
      await other.connect();
      await other.query(`
        begin;
        insert into tandem.lanes (connection_id, resource_type, record_type, external_id)
        values (1, 'issue', 'tasks', '1')`);
      await app.release(contested);
      await app.release(free);
      expect(await app.storedDeliveries()).toMatchObject([
        { state: "received" },
        { state: "translated" },
      ]);
      expect(await app.tasks()).toMatchObject([{ title: "Free" }]);
      await other.query("rollback");
      await other.end();
      await app.settle();
      expect((await app.tasks()).map(({ title }) => title)).toEqual(["Free", "Contested"]);
      expect(await app.events("state=errored")).toEqual([]);
      expect(app.writes()).toBe(0);
    });
  }

  it("is a transfer and an edit at the new place, at once: the record moves, and no other is made", async () => {
    const app = await givenIssue(await open(), APP);
    app.github.as("acme").transferIssue(SITE, 1, APP);
    await app.advance(1_000);
    app.github.as("acme").editIssue(APP, 1, { title: "Edited there" });
    await takeIn(app);
    expect(await app.tasks()).toHaveLength(1);
    // The issue waits for its comments, whose webhooks are held here.
    await app.settleWithin(10);
    expect(await app.task()).toMatchObject({ title: "Edited there", project_id: "2" });
  });

  it("is altered by the app in a column that we did not write: that has its time, and no other has", async () => {
    const app = await givenIssue(await open());
    await app.sql(`
      create function finish() returns trigger language plpgsql as $$ begin
        if new.title = 'Finish' then new.status := 'done'; end if;
        return new;
      end $$;
      create trigger finish before update on tasks for each row execute function finish()`);
    app.github.as("mona").editIssue(SITE, 1, { title: "Finish" });
    await takeIn(app);
    await app.settle();
    const [row] = await app.sql<{ record_changed_at: object }>(
      `select record_changed_at from tandem.integration_records
       join tandem.lanes using (id) where resource_type = 'issue'`,
    );
    expect(Object.keys(row?.record_changed_at ?? {})).toEqual(["state"]);
    expect(app.github.issue(SITE, 1)).toMatchObject({ title: "Finish", state: "closed" });
  });

  it("is answered by a rule of the app with another task: that one is sent", async () => {
    const app = await givenIssue(await open());
    await app.sql(`
      create rule follow_up as on update to tasks where new.title = 'New'
        do also insert into tasks (project_id, title) values (new.project_id, 'Follow up')`);
    // The app's tables are looked at as a worker starts.
    await app.tandem.migrate();
    app.github.as("mona").editIssue(SITE, 1, { title: "New" });
    await takeIn(app);
    await app.settle();
    expect(app.github.issue(SITE, 2)).toMatchObject({ title: "Follow up" });
  });

  it("is answered by a function of the app with a write elsewhere: that one is sent", async () => {
    const app = await givenIssue(await open());
    await app.sql(`
      create function touch(task bigint) returns boolean language plpgsql as $$ begin
        update comments set markdown = 'By the app' where task_id = task;
        return true;
      end $$;
      alter table tasks add constraint touched check (touch(id)) not valid`);
    app.github.as("mona").editIssue(SITE, 1, { title: "New" });
    await takeIn(app);
    await app.settle();
    expect(app.github.comments(SITE)[0]?.body).toContain("By the app");
  });
});
