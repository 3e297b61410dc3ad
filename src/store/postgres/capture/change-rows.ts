/**
 * Captured writes, taken out of `tandem.changes`.
 *
 * Two drains may take writes of one record at the same time. That is harmless: what was taken only
 * says that the record is to be looked at and when it changed. The drain reads the row as it is
 * now, under the lane's lock, and times only move forward, so the order of drains does not matter.
 */
import { eventId, laneId } from "../../../model/ids.ts";
import { parseInstant } from "../../../model/instant.ts";
import type { Row } from "../../../model/mapping.ts";
import type { Queryable } from "../../database/index.ts";
import { storableJson } from "../../database/index.ts";
import type { CapturedChange, ChangeStore } from "../../store.ts";

interface ChangeRow {
  readonly record_type: string;
  readonly record_id: string;
  readonly operation: CapturedChange["operation"];
  readonly columns: readonly string[] | null;
  readonly changed_at: string;
  readonly origin: string | null;
  readonly old_record: Row | null;
  readonly journal: CapturedChange["journal"];
  readonly edit_lane: string | null;
  readonly edit_at: string | null;
}

/** The edit that a write of ours has merged. Writes of the app have no origin, so nothing is looked up. */
const EDIT = `
left join lateral (
  select
    event.lane_id as edit_lane,
    event.integration_updated_at - account.clock_offset * interval '1 microsecond' as edit_at
  from (
    select id, lane_id, connection_id, integration_updated_at from tandem.events_live
    union all
    select id, lane_id, connection_id, integration_updated_at from tandem.events_ended
  ) as event
  join tandem.connections as connection on connection.id = event.connection_id
  join tandem.accounts as account on account.id = connection.account_id
  where event.id = case when change.origin ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then change.origin::uuid end
) as edit on true`;

/** Transactions of which each batch takes the first rows. */
const TRANSACTIONS = 64;
/** So many rows of each. */
const OF_EACH = 4;
/** So many writes of a record are taken before one that is behind a bulk transaction. */
const EARLIER = 50;

// Each transaction's first rows come before the rest of an older one (situation 72), with what was captured
// of the same records before. `due` hops from one transaction to the next by index: a million rows of one
// statement are one hop. Rows are compared as a whole, since an equality would let the planner walk all
// captured writes by id, in search of the few of a small transaction. The rest of the batch is the oldest that no other drain holds.
//
// An array is built once, where a subquery in the `from` could be run again and lock more rows.
const TAKE = `
with recursive heads as (
  (select transaction_id, 1 as nth from tandem.changes order by transaction_id limit 1)
  union all
  select following.transaction_id, heads.nth + 1
  from heads
  cross join lateral (
    select transaction_id from tandem.changes
    where transaction_id > heads.transaction_id
    order by transaction_id
    limit 1
  ) as following
  where heads.nth < ${String(TRANSACTIONS)}
),
due as (
  select earlier.id
  from heads
  cross join lateral (
    select transaction_id, id, record_type, record_id from tandem.changes
    where (transaction_id, id) > (heads.transaction_id, 0)
    order by transaction_id, id
    limit ${String(OF_EACH)}
  ) as first
  cross join lateral (
    select record_type, record_id, id from tandem.changes
    where (record_type, record_id, id) > (first.record_type, first.record_id, 0)
    order by record_type, record_id, id
    limit ${String(EARLIER)}
  ) as earlier
  where heads.nth > 1
    and first.transaction_id = heads.transaction_id
    and earlier.record_type = first.record_type
    and earlier.record_id = first.record_id
    and earlier.id <= first.id
),
taken as (
  delete from tandem.changes
  where id = any (array(
    select id from tandem.changes
    where id = any (array(select id from due))
    order by id
    limit $1
    for update skip locked
  ) || array(
    select id from tandem.changes
    order by id
    limit $1
    for update skip locked
  ))
  returning *
)
select
  record_type, record_id, operation, columns, changed_at, origin, old_record, journal, edit_lane, edit_at
from taken as change
${EDIT}
where record_id is not null
order by change.id`;

const PEEK = `
select
  record_type, record_id, operation, columns, changed_at, origin, old_record, journal, edit_lane, edit_at
from tandem.changes as change
${EDIT}
where record_type = $1 and record_id = any ($2::text[])
order by change.id`;

const NOTE = `
insert into tandem.changes
  (record_type, record_id, operation, columns, changed_at, origin, transaction_id)
select record_type, record_id, 'update', columns, tandem.now(), origin, pg_current_xact_id()
from json_to_recordset($1::json) as noted (
  record_type text,
  record_id text,
  columns text[],
  origin text
)`;

export function changeStore(tx: Queryable): ChangeStore {
  return {
    async take(limit) {
      const { rows } = await tx.query<ChangeRow>(TAKE, [limit]);
      return rows.map(changeFromRow);
    },
    async peek(recordType, recordIds) {
      const { rows } = await tx.query<ChangeRow>(PEEK, [recordType, recordIds]);
      return rows.map(changeFromRow);
    },
    async oldest() {
      const { rows } = await tx.query<{ changed_at: string }>(
        "select changed_at from tandem.changes order by id limit 1",
      );
      const [row] = rows;
      return row === undefined ? null : parseInstant(row.changed_at);
    },
    async takeTruncated() {
      const { rows } = await tx.query<{ record_type: string }>(
        "delete from tandem.truncations returning record_type",
      );
      return [...new Set(rows.map((row) => row.record_type))];
    },
    async note(changes) {
      if (changes.length === 0) return;
      const rows = changes.map(({ recordType, recordId, columns, origin }) => ({
        record_type: recordType,
        record_id: recordId,
        columns,
        origin,
      }));
      await tx.query(NOTE, [storableJson(rows)]);
    },
  };
}

function changeFromRow(row: ChangeRow): CapturedChange {
  return {
    recordType: row.record_type,
    recordId: row.record_id,
    operation: row.operation,
    columns: row.columns ?? [],
    changedAt: parseInstant(row.changed_at),
    origin: row.origin === null ? null : eventId(row.origin),
    ...(row.edit_lane === null || row.edit_at === null
      ? {}
      : { edit: { lane: laneId(row.edit_lane), at: parseInstant(row.edit_at) } }),
    oldRow: row.old_record,
    journal: row.journal,
  };
}
