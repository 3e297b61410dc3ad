/** Records' own writes in the ledger: events that ended at once and belong to no lane. */
import type { JournalEntry } from "../../../model/event.ts";
import { formatInstant } from "../../../model/instant.ts";
import type { Queryable } from "../../database/index.ts";
import { storableJson } from "../../database/index.ts";

const APPEND = `
insert into tandem.events_ended (
  id, direction, action, source, record_type, record_id,
  state, reason, changes, run_at, created_at, finished_at
)
select
  id, direction, action, 'change', record_type, record_id,
  'completed', reason, changes, created_at, created_at, finished_at
from json_populate_recordset(null::tandem.events_ended, $1::json)`;

export async function appendJournal(
  tx: Queryable,
  entries: readonly JournalEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) => ({
    id: entry.id,
    direction: entry.direction,
    action: entry.action,
    reason: entry.reason,
    record_type: entry.recordType,
    record_id: entry.recordId,
    changes: entry.changes,
    created_at: formatInstant(entry.writtenAt),
    finished_at: formatInstant(entry.endedAt),
  }));
  await tx.query(APPEND, [storableJson(rows)]);
}
