/**
 * Captured writes, taken out of `tandem.changes`.
 *
 * Two drains may take writes of one record at the same time. That is harmless: what was taken only
 * says that the record is to be looked at and when it changed. The drain reads the row as it is
 * now, under the lane's lock, and times only move forward, so the order of drains does not matter.
 */
import { eventId } from "../../model/ids.ts";
import { parseInstant } from "../../model/instant.ts";
import type { Row } from "../../model/mapping.ts";
import type { Queryable } from "../database.ts";
import { storableJson } from "../storable-json.ts";
import type { CapturedChange, ChangeStore } from "../store.ts";

interface ChangeRow {
  readonly record_type: string;
  readonly record_id: string;
  readonly operation: CapturedChange["operation"];
  readonly columns: readonly string[] | null;
  readonly changed_at: string;
  readonly origin: string | null;
  readonly old_record: Row | null;
  readonly journal: CapturedChange["journal"];
}

// An array is built once, where a subquery in the `from` could be run again and lock more rows.
const TAKE = `
with taken as (
  delete from tandem.changes
  where id = any (array(
    select id from tandem.changes
    order by id
    limit $1
    for update skip locked
  ))
  returning *
)
select record_type, record_id, operation, columns, changed_at, origin, old_record, journal
from taken
where record_id is not null
order by id`;

const PEEK = `
select record_type, record_id, operation, columns, changed_at, origin, old_record, journal
from tandem.changes
where record_type = $1 and record_id = any ($2::text[])
order by id`;

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
    oldRow: row.old_record,
    journal: row.journal,
  };
}
