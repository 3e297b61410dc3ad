/** How far providers' logs of deliveries were read, and what they could not deliver. */
import { formatInstant, parseInstant } from "../../../model/instant.ts";
import type { MissedDelivery } from "../../../model/missed-delivery.ts";
import type { Database, Queryable } from "../../database/index.ts";
import { storableJson } from "../../database/index.ts";
import type { RedeliveryStore } from "../../redeliveries.ts";
import { textOrNull } from "../lanes/index.ts";

interface TurnRow {
  readonly id: string;
  readonly seen_to: string;
  readonly walk_cursor: string | null;
  readonly walk_begun_at: string | null;
  readonly now: string;
}

interface MissedRow {
  readonly delivery_key: string;
  readonly attempt_id: string;
  readonly event: string;
  readonly status: number;
  readonly failed_at: string;
  readonly asks: number;
  readonly run_at: string;
  readonly state: MissedDelivery["state"];
}

const FIRST_SEEN = `
insert into tandem.delivery_logs (integration, name, seen_to, next_look_at)
values ($1, $2, $3::timestamptz, tandem.now() + make_interval(secs => $4::float8 / 1000))
on conflict (integration, name) do nothing
returning id`;

// A second process waits for the row, and then finds that it is not due any more.
const TAKE = `
update tandem.delivery_logs
set next_look_at = clock.now + make_interval(secs => $3::float8 / 1000)
from (select tandem.now() as now) as clock
where integration = $1 and name = $2 and next_look_at <= clock.now
returning id, seen_to, walk_cursor, walk_begun_at, clock.now`;

const SAVE = `
insert into tandem.missed_deliveries
  (log_id, delivery_key, attempt_id, event, status, failed_at, asks, run_at, state)
select
  $1::bigint, given.delivery_key, given.attempt_id, given.event, given.status, given.failed_at,
  given.asks, given.run_at, given.state
from jsonb_to_recordset($2::jsonb) as given (
  delivery_key text, attempt_id text, event text, status integer, failed_at timestamptz,
  asks integer, run_at timestamptz, state text
)
on conflict (log_id, delivery_key) do update
set
  attempt_id = excluded.attempt_id,
  status = excluded.status,
  asks = excluded.asks,
  run_at = excluded.run_at,
  state = excluded.state`;

export function redeliveryStore(database: Database): RedeliveryStore {
  return {
    async takeTurn({ integration, name, startAt, everyMillis, leaseMillis }) {
      const { rows } = await database.query<TurnRow>(TAKE, [integration, name, leaseMillis]);
      const [row] = rows;
      if (row === undefined) {
        await database.query(FIRST_SEEN, [integration, name, formatInstant(startAt), everyMillis]);
        return null;
      }
      const { walk_cursor: cursor, walk_begun_at: begun } = row;
      const walk =
        cursor === null || begun === null ? null : { cursor, begunAt: parseInstant(begun) };
      const position = { seenTo: parseInstant(row.seen_to), walk };
      return { logId: row.id, now: parseInstant(row.now), position };
    },
    async missed(logId, keys) {
      if (keys.length === 0) return [];
      const { rows } = await database.query<MissedRow>(
        `select delivery_key, attempt_id, event, status, failed_at, asks, run_at, state
         from tandem.missed_deliveries
         where log_id = $1 and delivery_key = any ($2::text[])
         order by delivery_key`,
        [logId, keys],
      );
      return rows.map(missedFromRow);
    },
    async due(logId, now, limit) {
      // In the words and the order of the partial index, which holds nothing that was given up.
      const { rows } = await database.query<MissedRow>(
        `select delivery_key, attempt_id, event, status, failed_at, asks, run_at, state
         from tandem.missed_deliveries
         where log_id = $1 and state = 'waiting' and run_at <= $2::timestamptz
         order by run_at, delivery_key
         limit $3`,
        [logId, formatInstant(now), limit],
      );
      return rows.map(missedFromRow);
    },
    async arrived(logId, keys) {
      await remove(database, logId, keys);
    },
    note: (logId, { position, missed, arrived }) =>
      database.transaction(async (tx) => {
        await tx.query(
          `update tandem.delivery_logs
           set seen_to = $2::timestamptz, walk_cursor = $3, walk_begun_at = $4::timestamptz
           where id = $1`,
          [
            logId,
            formatInstant(position.seenTo),
            position.walk?.cursor ?? null,
            textOrNull(position.walk?.begunAt ?? null),
          ],
        );
        await remove(tx, logId, arrived);
        await tx.query(
          `delete from tandem.missed_deliveries
           where log_id = $1 and state = 'given_up'
             and failed_at < (select tandem.now() - interval '7 days')`,
          [logId],
        );
        await save(tx, logId, missed);
      }),
    save: (logId, missed) => save(database, logId, missed),
    async nextLook(logId, at) {
      await database.query(
        "update tandem.delivery_logs set next_look_at = $2::timestamptz where id = $1",
        [logId, formatInstant(at)],
      );
    },
    async counts() {
      const { rows } = await database.query<{ state: MissedDelivery["state"]; count: string }>(
        `select missed.state, count(*) as count
         from tandem.missed_deliveries as missed
         join tandem.delivery_logs as logs on logs.id = missed.log_id
         where logs.next_look_at > tandem.now() - interval '1 day'
         group by missed.state`,
      );
      const counts = { waiting: 0, given_up: 0 };
      for (const row of rows) counts[row.state] = Number(row.count);
      return counts;
    },
  };
}

async function remove(database: Queryable, logId: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await database.query(
    "delete from tandem.missed_deliveries where log_id = $1 and delivery_key = any ($2::text[])",
    [logId, keys],
  );
}

async function save(
  database: Queryable,
  logId: string,
  missed: readonly MissedDelivery[],
): Promise<void> {
  if (missed.length === 0) return;
  await database.query(SAVE, [logId, storableJson(missed.map(rowFromMissed))]);
}

function rowFromMissed(missed: MissedDelivery): MissedRow {
  const { deliveryKey, attemptId, failedAt, runAt, event, status, asks, state } = missed;
  return {
    delivery_key: deliveryKey,
    attempt_id: attemptId,
    failed_at: formatInstant(failedAt),
    run_at: formatInstant(runAt),
    event,
    status,
    asks,
    state,
  };
}

function missedFromRow(row: MissedRow): MissedDelivery {
  return {
    deliveryKey: row.delivery_key,
    attemptId: row.attempt_id,
    event: row.event,
    status: row.status,
    failedAt: parseInstant(row.failed_at),
    asks: row.asks,
    runAt: parseInstant(row.run_at),
    state: row.state,
  };
}
