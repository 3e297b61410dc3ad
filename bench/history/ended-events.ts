/**
 * A ledger with a history: ended events of lanes with a hundred events each, as after half a year. Payloads are
 * kept for a month, so every sixth event has its content; the outcomes vary as in production. The rows are in
 * the tables to which Tandem itself would have written them.
 */
import type pg from "pg";

const A_LANE = 100;
const AT_ONCE = 500_000;

/** @returns The number of events. */
export async function loadEndedEvents(pool: pg.Pool, events: number): Promise<number> {
  const lanes = Math.max(1, Math.ceil(events / A_LANE));
  await pool.query(
    `insert into tandem.lanes
       (connection_id, resource_type, record_type, external_id, record_id, clock_at, epoch)
     select
       (select min(id) from tandem.connections), 'issue', 'tasks',
       (10000000 + n)::text, (10000000 + n)::text, now() - interval '1 day', $2::integer
     from generate_series(1, $1::integer) as n`,
    [lanes, A_LANE],
  );
  await pool.query(
    `insert into tandem.integration_records (id, copy)
     select
       lanes.id,
       jsonb_build_object('title', 'Issue ' || lanes.id, 'body', repeat('as it was said last; ', 40))
     from tandem.lanes left join tandem.integration_records as there using (id)
     where there.id is null`,
  );
  const { rows } = await pool.query<{ first: string }>("select min(id) as first from tandem.lanes");
  let loaded = 0;
  while (loaded < events) {
    const to = Math.min(events, loaded + AT_ONCE);
    const { rowCount } = await pool.query(LOAD, [loaded + 1, to, lanes, rows[0]?.first, events]);
    loaded += rowCount ?? 0;
  }
  await pool.query("vacuum analyze");
  return loaded;
}

// Ids grow with time, as Tandem's do. Each event of a lane has its own epoch.
const LOAD = `
insert into tandem.events_ended (
  id, lane_id, connection_id, direction, action, source, resource_type,
  integration_external_id, integration_updated_at, integration_record_type, record_type, record_id,
  state, reason, content, digest, changes, attempts, run_at, epoch, worker,
  created_at, started_at, finished_at
)
select
  (
    lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15)
  )::uuid,
  $4::bigint + n % $3::integer,
  (select min(id) from tandem.connections),
  case when n % 5 = 0 then 'outbound' else 'inbound' end,
  'upsert',
  case when n % 5 = 0 then 'change' else 'webhook' end,
  'issue',
  (10000001 + n % $3::integer)::text,
  at, 'github_issues', 'tasks', (10000001 + n % $3::integer)::text,
  case when n % 4 = 3 then 'duplicate' else 'completed' end,
  case when n % 4 = 3 then 'same_content' else 'updated_record' end,
  case when n % 6 = 0 then jsonb_build_object(
    'title', 'Issue ' || n, 'state', 'open', 'body', repeat('what was said then ' || n || '; ', 40)
  ) end,
  md5(n::text),
  jsonb_build_array(jsonb_build_object('field', 'title', 'side', 'record', 'from', 'A', 'to', 'B')),
  1, at, n / $3::integer, 'history', at, at, at + interval '40 milliseconds'
from generate_series($1::bigint, $2::bigint) as n,
  lateral (select now() - interval '180 days' * (1 - n::float8 / $5::bigint)) as moment (at)`;

/** Reads of the history since the counters were reset: rows by scans, and lookups by index. */
export async function looksAtHistory(pool: pg.Pool) {
  const { rows } = await pool.query<Record<"scans" | "looks" | "fetched", string>>(
    `select
       sum(seq_tup_read) as scans, sum(idx_scan) as looks, sum(idx_tup_fetch) as fetched
     from pg_stat_user_tables
     where schemaname = 'tandem' and relname like 'events\\_ended%'`,
  );
  const [row] = rows;
  return {
    scanned: Number(row?.scans ?? 0),
    looks: Number(row?.looks ?? 0),
    fetched: Number(row?.fetched ?? 0),
  };
}
