/** If workers run beside the receiver, a webhook is ingested in the transaction that stores it. */
import pg from "pg";
import { expect, it } from "vitest";
import type { AnyConfig } from "../../../src/config.ts";
import { deliveryId } from "../../../src/model/ids.ts";
import { describeOnOneMigratedDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { connect } from "../../harness/projects.ts";
import { takeIn } from "../../harness/take-in.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

/** Issues with a task each; webhooks are held from here on. */
async function givenPairs(
  database: TestDatabase,
  count: number,
  change?: (config: AnyConfig) => AnyConfig,
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, change, { takesIn: () => "receiver" });
  const mona = app.github.as("mona");
  for (let number = 1; number <= count; number += 1) {
    mona.openIssue(app.repo, { title: `Issue ${String(number)}` });
    await app.advance(2_000);
    await app.settle();
  }
  app.holdWebhooks();
  return app;
}

async function titles(app: SampleTandem) {
  return (await app.tasks()).map(({ title }) => title);
}

async function states(app: SampleTandem) {
  return (await app.storedDeliveries()).slice(-app.held().length).map(({ state }) => state);
}

describeOnOneMigratedDatabase("a webhook that arrives while workers run", (open, kind) => {
  it("is in the record when the webhook is answered", async () => {
    const app = await givenPairs(await open(), 1);
    app.github.as("mona").editIssue(app.repo, 1, { title: "New" });
    await app.release(...app.held());
    expect(await app.task()).toMatchObject({ title: "New" });
    expect(await app.storedDeliveries()).toMatchObject([
      {},
      { event: "issues", action: "edited", state: "translated", reason: null, times_received: 1 },
    ]);
    expect((await app.events()).at(-1)).toMatchObject({
      state: "completed",
      reason: "updated_record",
      worker: "receiver",
      changes: [{ side: "record", field: "title", from: "Issue 1", to: "New" }],
    });
    expect(await app.status()).toMatchObject({ undrained: 0 });
  });

  it("makes one event, however often it comes, at once or later", async () => {
    const app = await givenPairs(await open(), 1);
    app.github.as("mona").editIssue(app.repo, 1, { title: "New" });
    const [held] = app.held();
    if (held === undefined) throw new Error("a webhook should wait");
    const sent = { event: "issues", integration: "github", verifiedBy: null };
    const payload = { ...sent, payload: held.body };
    const { services, receive } = app.tandem;
    const again = () => ({
      id: deliveryId(services.newEventId(services.clock.now())),
      deliveryKey: held.guid,
      ...payload,
    });
    const [first, second] = await receive([again(), again()]);
    const [third] = await receive([again()]);
    expect([first, second, third].map((stored) => stored?.seenBefore)).toEqual([false, true, true]);
    expect(new Set([first, second, third].map((stored) => stored?.id)).size).toBe(1);
    expect((await app.storedDeliveries()).at(-1)).toMatchObject({ times_received: 3 });
    expect((await app.story()).slice(1)).toEqual(["inbound completed updated_record"]);
  });

  it("is stored and waits for its turn where it is no edit, cannot be read, or concerns nobody", async () => {
    const app = await givenPairs(await open(), 2);
    app.github.as("mona").editIssue(app.repo, 1, { title: "New" });
    app.github.as("mona").deleteIssue(app.repo, 2);
    const deliveries = app.held().map(({ guid, event, body }) => ({ guid, event, body }));
    const { services, receive } = app.tandem;
    const odd = [
      { guid: "torn", event: "issues", body: "{" },
      { guid: "ping", event: "ping", body: "{}" },
    ];
    await receive(
      [...odd, ...deliveries].map(({ guid, event, body }) => ({
        id: deliveryId(services.newEventId(services.clock.now())),
        ...{ integration: "github", deliveryKey: guid, event, payload: body },
        verifiedBy: null,
      })),
    );
    expect(await titles(app)).toEqual(["New", "Issue 2"]);
    const stored = await app.sql<{ delivery_key: string; state: string }>(
      "select delivery_key, state from tandem.deliveries order by received_at desc, id desc limit 4",
    );
    expect(new Map(stored.map((row) => [row.delivery_key, row.state]))).toEqual(
      new Map([
        ["torn", "received"],
        ["ping", "irrelevant"],
        ...deliveries.map(({ guid }) => [guid, "translated"] as const),
      ]),
    );
    await app.settle();
    expect((await app.storedDeliveries()).filter(({ state }) => state === "failed")).toMatchObject([
      { error: { code: "malformed_json" } },
    ]);
    expect((await app.tasks()).map((task) => task.deleted_at !== null)).toEqual([false, true]);
  });

  it("is processed alone if the table refuses it, and the others are stored", async () => {
    const app = await givenPairs(await open(), 2);
    await app.sql("alter table tasks add constraint no_swearing check (title <> 'Damn')");
    app.github.as("mona").editIssue(app.repo, 1, { title: "Damn" });
    app.github.as("mona").editIssue(app.repo, 2, { title: "Fine" });
    await takeIn(app);
    expect(await states(app)).toEqual(["translated", "translated"]);
    expect(await titles(app)).toEqual(["Issue 1", "Fine"]);
    await app.settle();
    expect((await app.events("state=errored")).map(({ error }) => error?.code)).toEqual([
      "check_violated",
    ]);
  });

  it("is only stored where the database refuses all of it in the end: then each is worked on alone", async () => {
    const app = await givenPairs(await open(), 2);
    await app.sql(`
      create function refuse() returns trigger language plpgsql as $$ begin
        raise exception 'no swearing' using errcode = 'check_violation';
      end $$;
      create constraint trigger refuse after update on tasks deferrable initially deferred
        for each row when (new.title = 'Damn') execute function refuse()`);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Damn" });
    app.github.as("mona").editIssue(app.repo, 2, { title: "Fine" });
    await takeIn(app);
    expect(await states(app)).toEqual(["received", "received"]);
    expect(await titles(app)).toEqual(["Issue 1", "Issue 2"]);
    await app.settle();
    expect(await titles(app)).toEqual(["Issue 1", "Fine"]);
    expect(await app.events("state=errored")).toHaveLength(1);
  });

  it("is sent back where the app made something else of it", async () => {
    const app = await givenPairs(await open(), 1, withoutAuthors);
    await app.sql(`
      create function tidy() returns trigger language plpgsql as $$ begin
        new.title := upper(new.title);
        return new;
      end $$;
      create trigger tidy before insert or update of title on tasks
        for each row execute function tidy()`);
    app.github.as("mona").editIssue(app.repo, 1, { title: "New" });
    app.github.as("mona").openIssue(app.repo, { title: "Another" });
    await takeIn(app);
    expect(await titles(app)).toEqual(["NEW", "ANOTHER"]);
    await app.settle();
    expect([1, 2].map((number) => app.github.issue(app.repo, number)?.title)).toEqual([
      "NEW",
      "ANOTHER",
    ]);
    expect(app.writes()).toBe(2);
  });

  it("goes on to the other repository of its project", async () => {
    const app = await givenPairs(await open(), 0);
    await connect(app, "acme/docs", "1");
    app.github.as("mona").openIssue(app.repo, { title: "Issue" });
    await app.release(...app.held());
    await app.settle();
    expect(app.github.issue("acme/docs", 1)).toMatchObject({ title: "Issue" });
    await app.advance(60_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "New" });
    await app.release(...app.held().slice(-1));
    expect(await app.task()).toMatchObject({ title: "New" });
    await app.settle();
    expect(app.github.issue("acme/docs", 1)).toMatchObject({ title: "New" });
  });

  it("follows its record where the app puts it into another project as it is made", async () => {
    const app = await givenPairs(await open(), 0, withoutAuthors);
    await app.sql("insert into projects (name) values ('Elsewhere')");
    await app.sql(`
      create function sort_in() returns trigger language plpgsql as $$ begin
        new.project_id := 2;
        return new;
      end $$;
      create trigger sort_in before insert on tasks for each row execute function sort_in()`);
    app.github.as("mona").openIssue(app.repo, { title: "New" });
    await takeIn(app);
    expect(await app.task()).toMatchObject({ title: "New", project_id: "2" });
    await app.settle();
    // Project 2 has no connection: the record has left, and its issue is let go of.
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed moved_out_of_scope",
    ]);
  });

  if (kind === "postgres") {
    it("is left for its turn where somebody holds its lane, and nobody waits", async () => {
      const database = await open();
      const app = await givenPairs(database, 2);
      app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
      app.github.as("mona").editIssue(app.repo, 2, { title: "Second" });
      const other = new pg.Client({ connectionString: database.url });
      await other.connect();
      try {
        await other.query("begin; select from tandem.lanes where external_id = '1' for update");
        await takeIn(app);
        expect(await states(app)).toEqual(["received", "translated"]);
        expect(await titles(app)).toEqual(["Issue 1", "Second"]);
      } finally {
        await other.end();
      }
      await app.settle();
      expect(await titles(app)).toEqual(["First", "Second"]);
      expect((await app.story()).slice(2)).toEqual([
        "inbound completed updated_record",
        "inbound completed updated_record",
      ]);
    });
  }
});
