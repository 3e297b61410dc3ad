/** Hooks that are to follow a commit: noted with the write, claimed like events, removed when run. */
import { eventId } from "../../../model/ids.ts";
import { formatInstant } from "../../../model/instant.ts";
import type { Row } from "../../../model/mapping.ts";
import type { Queryable } from "../../database/index.ts";
import { storableJson } from "../../database/index.ts";
import type { AfterCommitMark, AfterCommitStore } from "../../store.ts";

interface MarkRow {
  readonly id: string;
  readonly integration: string;
  readonly resource_type: string;
  readonly record_type: string;
  readonly record_id: string;
  readonly op: AfterCommitMark["op"];
  readonly old_record: Row | null;
  readonly event_id: string;
  readonly attempts: number;
}

// Putting it off is the claim: should its worker die, another finds it due again. Until it is done it
// stands before the later ones of its record.
const CLAIM = `
with claimed as (
  update tandem.after_commits
  set run_at = $2::timestamptz, attempts = attempts + 1
  where id = any (array(
    select due.id
    from tandem.after_commits as due
    where due.run_at <= (select tandem.now())
      and not exists (
        select from tandem.after_commits as earlier
        where earlier.record_type = due.record_type
          and earlier.record_id = due.record_id
          and earlier.id < due.id
      )
    order by due.run_at, due.id
    limit $1
    for update of due skip locked
  ))
  returning *
)
select * from claimed order by id`;

export function afterCommitStore(tx: Queryable): AfterCommitStore {
  return {
    async add(mark) {
      await tx.query(
        `insert into tandem.after_commits
           (integration, resource_type, record_type, record_id, op, old_record, event_id)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [
          mark.integration,
          mark.resourceType,
          mark.recordType,
          mark.recordId,
          mark.op,
          mark.row === null ? null : storableJson(mark.row),
          mark.event,
        ],
      );
    },
    async claim(limit, until) {
      const { rows } = await tx.query<MarkRow>(CLAIM, [limit, formatInstant(until)]);
      return rows.map(markFromRow);
    },
    async done(id) {
      await tx.query("delete from tandem.after_commits where id = $1", [id]);
    },
    async again(id, runAt) {
      await tx.query("update tandem.after_commits set run_at = $2 where id = $1", [
        id,
        formatInstant(runAt),
      ]);
    },
  };
}

function markFromRow(row: MarkRow): AfterCommitMark {
  return {
    id: row.id,
    integration: row.integration,
    resourceType: row.resource_type,
    recordType: row.record_type,
    recordId: row.record_id,
    op: row.op,
    row: row.old_record,
    event: eventId(row.event_id),
    attempts: row.attempts,
  };
}
