/** The queries of every turn cost the same however long the queues are. */
import { expect, it } from "vitest";
import { claim, nextEvent } from "../../src/engine/lane/claim.ts";
import type { Database } from "../../src/store/database/database.ts";
import { connectionId, laneId } from "../../src/model/ids.ts";
import { afterCommitStore } from "../../src/store/postgres/directory/after-commit-rows.ts";
import { ensureLanes } from "../../src/store/postgres/lanes/ensure-lanes.ts";
import { findLanes } from "../../src/store/postgres/lanes/find-lanes.ts";
import { type HeldLanes, lockLanes } from "../../src/store/postgres/lanes/lane-locks.ts";
import { saveLanes } from "../../src/store/postgres/lanes/lane-writes.ts";
import { nothingSeen } from "../../src/store/beginning.ts";
import { ledger } from "../../src/store/postgres/ledger/ledger-rows.ts";
import { migrate } from "../../src/store/postgres/migrate.ts";
import { redeliveryStore } from "../../src/store/postgres/deliveries/redelivery-rows.ts";
import { describeOnOneDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

const QUEUES = `
insert into tandem.accounts (integration, name, credentials) values ('github', 'acme', '{}');
insert into tandem.connections (account_id, integration, container_id, container_name, scope)
values (1, 'github', '1', 'acme/site', '1');
insert into tandem.lanes (connection_id, resource_type, record_type, external_id)
select 1, 'issue', 'tasks', number::text from generate_series(1, 10000) as number;
insert into tandem.events_live (
  id, lane_id, connection_id, direction, action, source, resource_type, integration_record_type,
  record_type, state, reason, run_at, epoch, created_at
)
select
  gen_random_uuid(), id, 1, 'outbound', 'upsert', 'change', 'issue', 'github_issues',
  'tasks', 'queued', 'admitted', now() - id * interval '1 second', 0, now()
from tandem.lanes;
insert into tandem.deliveries (id, integration, delivery_key, event, payload)
select gen_random_uuid(), 'github', number::text, 'issues', '{}'
from generate_series(1, 10000) as number`;

/** 2,000 issues with 50 comments each, of which one has no record, and a hook to run for each comment. */
const CONVERSATIONS = `
insert into tandem.accounts (integration, name, credentials) values ('github', 'acme', '{}');
insert into tandem.connections (account_id, integration, container_id, container_name, scope)
values (1, 'github', '1', 'acme/site', '1');
insert into tandem.lanes (connection_id, resource_type, record_type, external_id, record_id)
select 1, 'issue', 'tasks', number::text, number::text from generate_series(1, 2000) as number;
insert into tandem.lanes (
  connection_id, resource_type, record_type, external_id, record_id, parent_type, parent_external_id
)
select
  1, 'issue_comment', 'comments', number::text, case when number > 2000 then number::text end,
  'issue', (number % 2000)::text
from generate_series(1, 100000) as number;
insert into tandem.after_commits
  (integration, resource_type, record_type, record_id, op, event_id, run_at)
select
  'github', 'issue_comment', 'comments', number::text, 'insert', gen_random_uuid(),
  now() - number * interval '1 second'
from generate_series(1, 100000) as number`;

/** A long outage: 50,000 webhooks are missed and due, and 50,000 were given up some days ago. */
const MISSED = `
insert into tandem.delivery_logs (integration, name, seen_to, next_look_at)
values ('github', 'an app', now(), now());
insert into tandem.missed_deliveries
  (log_id, delivery_key, attempt_id, event, status, failed_at, run_at, state)
select
  1, number::text, number::text, 'issues', 503, now() - interval '3 days',
  now() - interval '1 day' - number * interval '1 second',
  case when number % 2 = 0 then 'waiting' else 'given_up' end
from generate_series(1, 100000) as number`;

/** 100,000 lanes whose event has ended, and one record with twenty. */
const HISTORY = `
${QUEUES};
delete from tandem.events_live;
insert into tandem.events_ended (
  id, lane_id, connection_id, direction, action, source, resource_type, integration_record_type,
  record_type, record_id, state, reason, run_at, epoch, created_at, finished_at
)
select
  gen_random_uuid(), lanes.id, 1, 'inbound', 'upsert', 'webhook', 'issue', 'github_issues',
  'tasks', lanes.id::text, 'completed', 'agreed', now(), 0, now(), now()
from tandem.lanes, generate_series(1, 10);
update tandem.lanes set record_id = id::text`;

const RELATIONS = { relationOf: () => "github_issues" };

interface Explained {
  readonly "QUERY PLAN": readonly {
    readonly Plan: Readonly<Record<"Shared Hit Blocks" | "Shared Read Blocks", number>>;
  }[];
}

function pagesOf(explained: Explained | undefined): number {
  const plan = explained?.["QUERY PLAN"][0]?.Plan;
  return (plan?.["Shared Hit Blocks"] ?? NaN) + (plan?.["Shared Read Blocks"] ?? NaN);
}

/** Statements are carried out and explained: how many pages each read, instead of rows. */
function explain(database: Database) {
  const pages: number[] = [];
  const explaining = {
    ...database,
    async query(text: string, params?: readonly unknown[]) {
      const { rows } = await database.query<Explained>(
        `explain (analyze, buffers, format json) ${text}`,
        params,
      );
      pages.push(pagesOf(rows[0]));
      return { rows: [], count: 0 };
    },
  };
  return { explaining, pages };
}

describeOnOneDatabase("with 10,000 waiting and no statistics", (open) => {
  it.each([
    ["claiming ten lanes", "select tandem.due_lanes(now(), 10)"],
    ["claiming ten besides all that wait", "select tandem.due_lanes_besides(now(), 10, '{1}')"],
    ["claiming ten of every connection", "select tandem.due_lanes_besides(now(), 10, '{2}')"],
    ["taking ten deliveries", "select tandem.due_deliveries(now(), 10)"],
    ["reading the events of ten lanes", "select tandem.live_events('{1,2,3,4,5,6,7,8,9,10}')"],
  ])("%s reads a few dozen pages", async (_, query) => {
    const app = await open();
    await migrate(await connectTo(app), []);
    await app.sql(QUEUES);
    // Once for what is read of the catalogs, once for the work itself.
    await app.sql(query);
    const [explained] = await app.sql<Explained>(
      `explain (analyze, buffers, format json) ${query}`,
    );
    const pages = pagesOf(explained);
    expect(pages).toBeGreaterThan(0);
    expect(pages).toBeLessThan(150);
  });
});

describeOnOneDatabase("with 10,000 lanes", (open) => {
  it("saving a decision on one, and seeking a new one, reads a few dozen pages", async () => {
    const app = await open();
    const database = await connectTo(app);
    await migrate(database, []);
    await app.sql(
      `${QUEUES}; insert into tandem.integration_records (id) select id from tandem.lanes`,
    );
    // The size of the tables is known: reading all of one is cheaper than a hundred looks by index.
    await app.sql("analyze");
    const { explaining, pages } = explain(database);
    const held: HeldLanes = new Map();
    const now = await ledger(database).now();
    const fresh = {
      ...{ connectionId: connectionId("1"), resourceType: "issue", recordType: "tasks" },
      ...{ externalId: "20000", recordId: null },
    };
    const decide = async (id: string) => {
      const [before] = await lockLanes(database, held, RELATIONS, [laneId(id)]);
      const event = before === undefined ? null : nextEvent(before, now);
      if (before === undefined || event === null) throw new Error("a lane with an event is needed");
      const { lane, ended } = claim(before, event, "a worker", now, 60_000);
      const after = { lane: { ...lane, copy: { title: "Fix it" } }, ended };
      await saveLanes(explaining, held, [{ before, after }]);
      // Explained, a look tells no lane, nor does the one that follows the insert.
      await expect(ensureLanes(explaining, [fresh])).rejects.toThrow();
    };
    // Once for what is read of the catalogs.
    await decide("41");
    pages.length = 0;
    await decide("42");
    expect(pages).toHaveLength(5);
    for (const read of pages) expect(read).toBeLessThan(60);
  });
});

describeOnOneDatabase("with 100,000 comments and no statistics", (open) => {
  it("finding an issue's comments and the next hook reads a few hundred pages", async () => {
    const app = await open();
    const database = await connectTo(app);
    await migrate(database, []);
    await app.sql(CONVERSATIONS);
    const { explaining, pages } = explain(database);
    const look = async () => {
      await findLanes(explaining, {
        kind: "children",
        connectionId: connectionId("1"),
        resourceType: "issue_comment",
        parentExternalId: "42",
      });
      await findLanes(explaining, {
        kind: "unpaired_children",
        parents: [laneId("42"), laneId("43")],
      });
      await afterCommitStore(explaining).claim(16, await ledger(database).now());
    };
    // Once for what is read of the catalogs.
    await look();
    pages.length = 0;
    await look();
    expect(pages).toHaveLength(3);
    for (const read of pages) expect(read).toBeLessThan(300);
  });
});

describeOnOneDatabase("with 50,000 webhooks that were missed and no statistics", (open) => {
  it("a turn at the log reads what it asks for and no more", async () => {
    const app = await open();
    const database = await connectTo(app);
    await migrate(database, []);
    await app.sql(MISSED);
    const { explaining, pages } = explain(database);
    const turn = redeliveryStore({
      ...explaining,
      transaction: async (work, _opening, look = nothingSeen) =>
        work(explaining, { rows: [], count: 0 }, await look(explaining)),
    });
    const now = await ledger(database).now();
    const position = { seenTo: now, walk: null };
    const take = async () => {
      await turn.note("1", { position, missed: [], arrived: ["1"] });
      await turn.missed("1", ["2", "3", "4"]);
      await turn.due("1", now, 20);
    };
    // Once for what is read of the catalogs.
    await take();
    const before = pages.length;
    await take();
    expect(pages.slice(before)).toHaveLength(before);
    for (const read of pages.slice(before)) expect(read).toBeLessThan(150);
  });
});

describeOnOneDatabase("with 100,000 that ended", (open) => {
  it("the story of one record reads a few dozen pages", async () => {
    const app = await open();
    const database = await connectTo(app);
    await migrate(database, []);
    await app.sql(HISTORY);
    await app.sql("analyze tandem.events_ended, tandem.lanes");
    const { explaining, pages } = explain(database);
    const records = ledger(explaining);
    const record = { record: { type: "tasks", id: "42" }, limit: 100 };
    // Once for what is read of the catalogs.
    await records.events(record);
    for (const journal of ["too", "only", "without"] as const) {
      await records.events({ ...record, journal });
    }
    expect(pages).toHaveLength(4);
    for (const read of pages.slice(1)) {
      expect(read).toBeGreaterThan(0);
      expect(read).toBeLessThan(150);
    }
  });
});
