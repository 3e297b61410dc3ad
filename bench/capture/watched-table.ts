/** The app's table under each of the triggers that are compared, and what an update of it costs. */
import { product } from "../contenders/product.ts";
import { TASKS } from "../contenders/contender.ts";
import type { OwnDatabase } from "../harness/own-database.ts";
import { median } from "../harness/rounds.ts";

/** Who watches the table: Tandem's triggers, an audit trigger written by hand, or nobody. */
export type Watcher = "capture" | "audit" | "nobody";

/**
 * What a team writes that wants to know who changed what: one row a change, with the row before and
 * after. Cheaper ones tell less than is asked of an audit; many have an index by table and row more,
 * which this one is spared. Beside it, the capture keeps the names of the columns that moved, the time
 * and the transaction, in a table with two indexes.
 */
const AUDIT = `
create table audit (
  id bigint generated always as identity primary key,
  table_name text not null,
  row_id text not null,
  operation text not null,
  old_row jsonb,
  new_row jsonb,
  changed_at timestamptz not null
);
create function audit() returns trigger language plpgsql as $$
  begin
    insert into audit (table_name, row_id, operation, old_row, new_row, changed_at)
    values (tg_table_name, new.id::text, tg_op, to_jsonb(old), to_jsonb(new), clock_timestamp());
    return null;
  end
$$;
create trigger audit after update on tasks for each row execute function audit()`;

/** Makes the table with so many rows of a usual width, and sets the watcher on it. */
export async function makeTable(
  { pool }: OwnDatabase,
  watcher: Watcher,
  rows: number,
): Promise<void> {
  if (watcher === "capture") await product.setUp(pool);
  else await pool.query(TASKS);
  await pool.query("alter table tasks add column position integer not null default 0");
  // Filling is not what is measured, so no trigger sees it.
  await pool.query("set session_replication_role = replica");
  await pool.query(
    `insert into tasks (project_id, title, markdown, status, modified_at)
     select 1, 'The title of task ' || n, repeat('some words of its body ', 20), 'todo', now()
     from generate_series(1, $1::integer) as n`,
    [rows],
  );
  await pool.query("reset session_replication_role");
  if (watcher === "audit") await pool.query(AUDIT);
  await pool.query("vacuum analyze tasks");
}

/** What a statement that updates all rows sets. */
export const MAPPED = "title = title || '.', modified_at = now()";
export const UNMAPPED = "position = position + 1, modified_at = now()";

/** Microseconds a row of updates of all rows in one statement: the median of several. */
export async function updateAll(
  database: OwnDatabase,
  watcher: Watcher,
  set: string,
  times: number,
): Promise<number> {
  const { pool, admin } = database;
  const took: number[] = [];
  for (let time = 0; time < times; time += 1) {
    await pool.query("vacuum tasks");
    if (watcher !== "nobody") await pool.query(`truncate ${noteOf(watcher)}`);
    await admin.query("checkpoint");
    const began = performance.now();
    const { rowCount } = await pool.query(`update tasks set ${set}`);
    took.push(((performance.now() - began) * 1_000) / (rowCount ?? NaN));
  }
  return median(took.sort((a, b) => a - b));
}

/** Microseconds of an update of one row in a transaction of its own: the median of so many. */
export async function updateOneByOne({ pool }: OwnDatabase, times: number): Promise<number> {
  const took: number[] = [];
  for (let id = 1; id <= times; id += 1) {
    const began = performance.now();
    await pool.query({
      name: "move",
      text: "update tasks set position = position + 1, modified_at = now() where id = $1",
      values: [id],
    });
    took.push((performance.now() - began) * 1_000);
  }
  return median(took.sort((a, b) => a - b));
}

/** What the watcher has noted, by operation: how many rows. */
export async function noted({ pool }: OwnDatabase, watcher: Watcher): Promise<number> {
  if (watcher === "nobody") return 0;
  const { rows } = await pool.query<{ count: string }>(
    `select count(*) from ${noteOf(watcher)} where lower(operation) = 'update'`,
  );
  return Number(rows[0]?.count ?? 0);
}

function noteOf(watcher: Exclude<Watcher, "nobody">): string {
  return watcher === "capture" ? "tandem.changes" : "audit";
}
