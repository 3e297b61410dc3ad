/** The journal: a record's own writes in the ledger, also where nothing is synced. */
import { expect, it } from "vitest";
import type { AnyConfig } from "../../src/config.ts";
import type { ApiExplanation } from "../../src/server/protocol/api-types.ts";
import { describeOnOneDatabase } from "../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

const NOTES = `
create table notes (
  id uuid primary key default gen_random_uuid(),
  title text not null,
  pages bigint,
  draft jsonb,
  opened_at timestamptz
)`;

const ID = "0195d0c4-0000-7000-8000-000000000001";

function withNotes(columns?: readonly string[]): (config: AnyConfig) => AnyConfig {
  return (config) => ({
    ...config,
    records: {
      ...config.records,
      notes: { journal: true, ...(columns === undefined ? {} : { columns }) },
    },
  });
}

function withJournaledTasks(config: AnyConfig): AnyConfig {
  const { tasks, ...others } = config.records;
  return {
    ...config,
    records: { ...others, tasks: { ...tasks, journal: true, columns: ["title", "position"] } },
  };
}

async function explain(app: SampleTandem, path: string): Promise<Response> {
  return app.tandem.fetch(new Request(`http://localhost/api/explain/${path}`));
}

describeOnOneDatabase("a journal", (open) => {
  it("keeps every write of a table that nothing is synced with, value by value", async () => {
    const database = await open();
    await database.sql(NOTES);
    const app = await givenSampleTandem(database, withNotes());
    await app.sql(
      `insert into notes (id, title, pages) values ('${ID}', 'Plan', 9007199254740993)`,
    );
    await app.sql(`update notes set title = 'Plans', draft = '{"a": 1}'`);
    await app.sql("update notes set title = title");
    await app.sql("delete from notes");
    await app.settle();

    const events = await app.events("record=notes:" + ID);
    expect(events).toHaveLength(3);
    for (const event of events) {
      expect(event).toMatchObject({
        direction: "outbound",
        source: "change",
        state: "completed",
        reason: "journaled",
        record_type: "notes",
        record_id: ID,
        connection_id: null,
        integration_record_id: null,
        integration_record_type: null,
        resource_type: null,
        integration_external_id: null,
        attempts: 0,
      });
      expect(event.finished_at).not.toBeNull();
    }
    const changes = events.map((event) =>
      Object.fromEntries(event.changes.map(({ field, from, to }) => [field, [from, to]])),
    );
    expect(changes).toEqual([
      { id: [null, ID], title: [null, "Plan"], pages: [null, "9007199254740993"] },
      { title: ["Plan", "Plans"], draft: [null, { a: 1 }] },
      {
        id: [ID, null],
        title: ["Plans", null],
        pages: ["9007199254740993", null],
        draft: [{ a: 1 }, null],
      },
    ]);
    expect(events.map(({ action }) => action)).toEqual(["upsert", "upsert", "delete"]);
    expect(app.github.calls({})).toBe(0);

    const rows = await app.sql(
      "select record_id, reason, integration_record_id from tandem.events where record_type = 'notes'",
    );
    expect(rows).toHaveLength(3);
    const story = (await (await explain(app, `notes/${ID}`)).json()) as ApiExplanation;
    expect(story.pairings).toEqual([]);
    expect(story.journal.map(({ id }) => id)).toEqual(events.map(({ id }) => id).reverse());
    expect((await explain(app, "notes/9")).status).toBe(404);
  });

  it("keeps the columns that are named, and fires for no other", async () => {
    const database = await open();
    await database.sql(NOTES);
    const app = await givenSampleTandem(database, withNotes(["title"]));
    await app.sql(`insert into notes (id, title, pages) values ('${ID}', 'Plan', 1)`);
    await app.sql("update notes set pages = 2, opened_at = now()");
    expect((await app.status()).undrained).toBe(1);
    await app.settle();
    const events = await app.events();
    expect(events.map(({ changes }) => changes)).toEqual([
      [{ side: "record", field: "title", from: null, to: "Plan" }],
    ]);
  });

  it("goes beside a sync: own writes twice, ours once, and no call for what is not mapped", async () => {
    const app = await givenSampleTandem(await open(), withJournaledTasks);
    app.github.as("mona").openIssue(app.repo, { title: "From GitHub" });
    await app.settle();
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    const { id } = await app.task();

    await app.advance(5_000);
    await app.sql("update tasks set position = 41.5");
    await app.settle();
    expect((await app.events()).at(-1)).toMatchObject({
      reason: "journaled",
      changes: [{ field: "position", to: "41.5" }],
    });
    await app.editTask(id, { title: "Mine" });
    await app.settle();
    expect(app.writes()).toBe(1);
    expect(await app.story("direction=outbound")).toEqual([
      "outbound completed journaled",
      "outbound completed updated_resource",
      "outbound completed journaled",
    ]);
    // The record's story has both.
    expect(await app.events(`record=tasks:${id}`)).toHaveLength((await app.events()).length);
    expect((await app.pairings(id))[0]).toMatchObject({ in_sync: true });
  });

  it("tells when the row was written, not when it was drained", async () => {
    const database = await open();
    await database.sql(NOTES);
    const app = await givenSampleTandem(database, withNotes());
    await app.sql(`insert into notes (id, title) values ('${ID}', 'Plan')`);
    await app.advance(60_000);
    await app.settle();
    const [event] = await app.events();
    const waited = Date.parse(event?.finished_at ?? "") - Date.parse(event?.created_at ?? "");
    expect(waited).toBe(60_000);
  });

  it("refuses to restart or cancel a write: it is history", async () => {
    const database = await open();
    await database.sql(NOTES);
    const app = await givenSampleTandem(database, withNotes());
    await app.sql(`insert into notes (id, title) values ('${ID}', 'Plan')`);
    await app.settle();
    const [event] = await app.events();
    const refused = await app.tandem.fetch(
      new Request(`http://localhost/api/events/${event?.id ?? ""}/restart`, { method: "POST" }),
    );
    expect(refused.status).toBe(409);
  });
});
