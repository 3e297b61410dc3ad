/** Runs that wait for a person's word. */
import type { HeldRun, AffectedRecord } from "../../../model/held-run.ts";
import { connectionId } from "../../../model/ids.ts";
import { parseInstant } from "../../../model/instant.ts";
import type { Queryable } from "../../database/index.ts";
import { storableJson } from "../../database/index.ts";
import type { HeldRuns } from "../../held-runs.ts";

interface RunRow {
  readonly id: string;
  readonly connection_id: string;
  readonly kind: HeldRun["kind"];
  readonly state: HeldRun["state"];
  readonly deletes: number;
  readonly overwrites: number;
  readonly records: number;
  readonly sample: readonly AffectedRecord[];
  readonly created_at: string;
}

const HOLD = `
insert into tandem.held_runs
  (connection_id, kind, state, deletes, overwrites, records, sample)
values ($1, $2, $3, $4, $5, $6, $7::jsonb)
on conflict (connection_id, kind) where ended_at is null do update
set
  state = excluded.state,
  deletes = excluded.deletes,
  overwrites = excluded.overwrites,
  records = excluded.records,
  sample = excluded.sample
returning id`;

const MOVE = `
update tandem.held_runs
set
  state = $2,
  ended_at = case when $2 in ('done', 'withdrawn') then tandem.now() end
where id = $1::bigint and ended_at is null
returning id`;

export function heldRuns(database: Queryable): HeldRuns {
  return {
    async open() {
      const { rows } = await database.query<RunRow>(
        "select * from tandem.held_runs where ended_at is null order by id",
      );
      return rows.map(runFromRow);
    },
    async hold({ connectionId: connection, kind, state, outlook, sample }) {
      const { deletes, overwrites, records } = outlook;
      const { rows } = await database.query<{ id: string }>(HOLD, [
        ...[connection, kind, state, deletes, overwrites, records],
        storableJson(sample),
      ]);
      const [row] = rows;
      if (row === undefined) throw new Error("the statement returned no row");
      return row.id;
    },
    async move(id, to) {
      if (!/^\d{1,18}$/.test(id)) return false;
      const { rows } = await database.query(MOVE, [id, to]);
      return rows.length > 0;
    },
  };
}

function runFromRow(row: RunRow): HeldRun {
  const { deletes, overwrites, records } = row;
  return {
    id: row.id,
    connectionId: connectionId(row.connection_id),
    kind: row.kind,
    state: row.state,
    outlook: { deletes, overwrites, records },
    sample: row.sample,
    since: parseInstant(row.created_at),
  };
}
