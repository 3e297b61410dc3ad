/** A batch that the database aborts as a whole: its members are processed singly, and none is lost. */
import { expect, it } from "vitest";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog, toldOf } from "../../harness/kept-log.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

/** Refuses a statement that inserts more than one task. */
const ONE_TASK_A_STATEMENT = `
  create function one_task_a_statement() returns trigger language plpgsql as $$
  begin
    if (select count(*) from added) > 1 then
      raise exception 'one at a time' using errcode = 'query_canceled';
    end if;
    return null;
  end $$;
  create trigger one_task_a_statement after insert on tasks
    referencing new table as added for each statement execute function one_task_a_statement()`;

function openIssues(app: SampleTandem, ...titles: readonly string[]): void {
  for (const title of titles) app.github.as("mona").openIssue(app.repo, { title });
}

const titles = async (app: SampleTandem) => (await app.tasks()).map(({ title }) => title).sort();

const statesOf = async (app: SampleTandem) =>
  (await app.events()).map(({ state, reason }) => `${state} ${reason}`).sort();

describeOnOneDatabase("a batch that the database refuses", (open) => {
  it("holds deliveries: its events are queued, and each is processed", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), withoutAuthors, { log });
    await app.sql(ONE_TASK_A_STATEMENT);
    app.holdWebhooks();
    openIssues(app, "One", "Two", "Three");
    await app.release(...app.held());
    expect(await translateDeliveries(app.tandem.services, "ada")).toBe(3);
    expect(toldOf(lines, "a batch of deliveries failed; its events are queued")).toHaveLength(1);
    expect(await statesOf(app)).toEqual(Array(3).fill("queued admitted"));

    await app.settle();
    expect(await titles(app)).toEqual(["One", "Three", "Two"]);
    expect(await statesOf(app)).toEqual(Array(3).fill("completed created_record"));
  });

  it("holds a delivery that cannot be admitted: each is translated singly, and only that one fails", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), withoutAuthors, { log });
    app.holdWebhooks();
    openIssues(app, "One", "Two", "Three");
    await app.sql("alter table tandem.lanes add constraint odd check (external_id <> '2')");
    await app.release(...app.held());
    expect(await translateDeliveries(app.tandem.services, "ada")).toBeGreaterThan(0);
    expect(toldOf(lines, "a batch of deliveries failed; each is translated singly")).toHaveLength(
      1,
    );
    await app.settle();
    expect(await titles(app)).toEqual(["One", "Three"]);
    const states = (await app.storedDeliveries()).map(({ state }) => state).sort();
    expect(states).toEqual(["failed", "translated", "translated"]);
  });

  it("is a page of a backfill: its events are queued, and each is processed", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), withoutAuthors, { log });
    app.github.faults.webhooks.drop = 1;
    openIssues(app, "One", "Two", "Three");
    await app.sql(ONE_TASK_A_STATEMENT);
    await app.tandem.backfill(app.connection.id);
    await app.settle();
    expect(toldOf(lines, "a page of a backfill failed; its events are queued")).toHaveLength(1);
    expect(await titles(app)).toEqual(["One", "Three", "Two"]);
    expect(await statesOf(app)).toEqual(Array(3).fill("completed created_record"));
  });
});
