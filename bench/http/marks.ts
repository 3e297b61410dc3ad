/**
 * The times of commits, from the database itself: a deferred trigger runs when its transaction commits, and
 * records the time. The flush of the commit follows it, equally on every side.
 */
import type pg from "pg";
import { millisOf } from "./clock.ts";

/** Records each write of a table under the value of a column. */
export async function markCommits(pool: pg.Pool, table: string, column: string): Promise<void> {
  await pool.query(`
    create table committed (mark text not null, at timestamptz not null);
    create function mark_commit() returns trigger language plpgsql as $$
      begin
        insert into committed (mark, at) values (new.${column}, clock_timestamp());
        return null;
      end
    $$;
    create constraint trigger mark_commit after insert or update on ${table}
      deferrable initially deferred for each row execute function mark_commit()`);
}

/** The first commit of each mark, in milliseconds of the machine's clock. */
export async function commitsOf(pool: pg.Pool): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ mark: string; at: number }>(
    `select mark, ${millisOf("min(at)")} as at from committed group by mark`,
  );
  return new Map(rows.map(({ mark, at }) => [mark, at]));
}
