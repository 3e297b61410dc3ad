/** What is asked for at every turn costs the same however long the queues are. */
import { expect, it } from "vitest";
import { ledger } from "../../src/store/postgres/ledger-rows.ts";
import { migrate } from "../../src/store/postgres/migrate.ts";
import { describeOnEachDatabase } from "../harness/databases.ts";
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

interface Explained {
  readonly "QUERY PLAN": readonly {
    readonly Plan: Readonly<Record<"Shared Hit Blocks" | "Shared Read Blocks", number>>;
  }[];
}

function pagesOf(explained: Explained | undefined): number {
  const plan = explained?.["QUERY PLAN"][0]?.Plan;
  return (plan?.["Shared Hit Blocks"] ?? NaN) + (plan?.["Shared Read Blocks"] ?? NaN);
}

describeOnEachDatabase("with 10,000 waiting and no statistics", (open) => {
  it.each([
    ["claiming ten lanes", "select tandem.due_lanes(now(), 10)"],
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

describeOnEachDatabase("with 100,000 that ended", (open) => {
  it("the story of one record reads a few dozen pages", async () => {
    const app = await open();
    const database = await connectTo(app);
    await migrate(database, []);
    await app.sql(HISTORY);
    await app.sql("analyze tandem.events_ended, tandem.lanes");
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
    const records = ledger(explaining);
    const record = { recordType: "tasks", recordId: "42", limit: 100 };
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
