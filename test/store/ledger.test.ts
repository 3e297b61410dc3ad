/** Work falls due to the microsecond, and never by a database that returned no row. */
import { expect, it } from "vitest";
import { instantFromMicros, parseInstant } from "../../src/model/instant.ts";
import type { Queryable } from "../../src/store/database/database.ts";
import { ledger } from "../../src/store/postgres/ledger/ledger-rows.ts";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { anId, openStore } from "./opened-store.ts";

const noon = parseInstant("2026-03-02T12:00:00.000001Z");
const NOON = "timestamptz '2026-03-02T12:00:00.000001Z'";

const NOTHING = {
  deliveries: false,
  changes: false,
  links: false,
  leases: false,
  events: false,
  afterCommits: false,
  backfills: false,
};

it("a database that returns no row is an error, and does not look as if nothing were due", async () => {
  const empty: Queryable = {
    client: {},
    query: () => Promise.resolve({ rows: [], count: 0 }),
    script: () => Promise.resolve(),
  };
  await expect(ledger(empty).dueNow()).rejects.toThrow("the database said nothing of what is due");
  await expect(ledger(empty).now()).rejects.toThrow("the database told no time");
  await expect(ledger(empty).nextDue()).rejects.toThrow("the database told no time");
});

describeOnEachDatabase("what is due", (open) => {
  it.each([
    [
      "deliveries",
      `insert into tandem.deliveries (id, integration, delivery_key, event, payload, state, run_at)
       values ('${anId()}', 'github', 'k', 'issues', '{}', 'failed', ${NOON})`,
      "update tandem.deliveries set state = 'translated'",
    ],
    [
      "links",
      `insert into tandem.links (record_type, integration, login, placeholder_id, user_id, run_at)
       values ('users', 'github', 'ada', '1', '2', ${NOON})`,
      "delete from tandem.links",
    ],
    [
      "afterCommits",
      `insert into tandem.after_commits
         (integration, resource_type, record_type, record_id, op, event_id, run_at)
       values ('github', 'issue', 'tasks', '1', 'insert', '${anId()}', ${NOON})`,
      "delete from tandem.after_commits",
    ],
    [
      "backfills",
      `insert into tandem.backfills
         (connection_id, resource_type, step, pairs, creates, progress, run_at, leased_until)
       select id, 'issue', 'list', true, true, '{}', ${NOON}, ${NOON} from tandem.connections`,
      `update tandem.backfills set leased_until = ${NOON} + interval '1 microsecond'`,
    ],
    [
      "backfills",
      `insert into tandem.backfills
         (connection_id, resource_type, step, pairs, creates, progress, run_at)
       select id, 'issue', 'list', true, true, '{}', ${NOON} from tandem.connections`,
      "update tandem.backfills set finished_at = tandem.now()",
    ],
  ])("has %s from their very time on, until they are done or taken", async (kind, insert, done) => {
    const opened = await openStore(await open());
    const { app, store } = opened;
    await opened.setTime(instantFromMicros(noon - 1));
    await app.sql(insert);
    expect(await store.ledger.dueNow()).toEqual(NOTHING);
    await opened.setTime(noon);
    expect(await store.ledger.dueNow()).toEqual({ ...NOTHING, [kind]: true });
    await app.sql(done);
    expect(await store.ledger.dueNow()).toEqual(NOTHING);
  });
});
