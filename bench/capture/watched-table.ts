/** The app's table with each of the compared triggers, and the cost of updating it. */
import { product } from "../contenders/product.ts";
import { TASKS } from "../contenders/contender.ts";
import type { OwnDatabase } from "../harness/own-database.ts";
import { median } from "../harness/rounds.ts";

/** The compared trigger: Tandem's capture, a hand-written audit trigger, or none. */
export type Watcher = "capture" | "audit" | "nobody";

/**
 * An audit trigger as a team would write it: one row per change, with the row before and after. Cheaper ones
 * record less than an audit needs; many also have an index by table and row, which this one lacks. In comparison
 * the capture records the names of changed columns, the time and the transaction, in a table with two indexes.
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

/** Creates the table with this many rows of usual width, and its trigger. */
export async function makeTable(
  { pool }: OwnDatabase,
  watcher: Watcher,
  rows: number,
): Promise<void> {
  if (watcher === "capture") await product.setUp(pool);
  else await pool.query(TASKS);
  await pool.query("alter table tasks add column position integer not null default 0");
  // Filling the table is not measured, so it runs without triggers.
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

/** The assignments of an update of all rows, to mapped and to other columns. */
export const MAPPED = "title = title || '.', modified_at = now()";
export const UNMAPPED = "position = position + 1, modified_at = now()";

/** Microseconds per row for updates of all rows in one statement: the median of several. */
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

/** Microseconds per update of one row in its own transaction: the median of several. */
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

/** The number of updates that the trigger has recorded. */
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
