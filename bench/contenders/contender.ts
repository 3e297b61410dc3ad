/** A participant of a comparison: it gets the work in batches, and its result is in the app's rows. */
import type pg from "pg";
import { type Edit, POISON } from "../harness/work.ts";

/** The harness's part of a contender's run. */
export interface Judged {
  /** Runs once for a database, before the processes start. */
  readonly setUp: (pool: pg.Pool, work: readonly Edit[]) => Promise<void>;
  /** 0 when every edit has its outcome; called during the run if the processes do not wait for it. */
  readonly left?: (pool: pg.Pool) => Promise<number>;
  /** Checks the outcome of each edit in the database. */
  readonly audit: (pool: pg.Pool, work: readonly Edit[]) => Promise<Audit>;
}

/** A contender in a process of the harness, beside others of its kind. */
export interface Contender extends Judged {
  /** Runs in each process. */
  readonly open: (url: string, process: number, work: readonly Edit[]) => Promise<Opened>;
}

export interface Opened {
  /** Handles this process's share; returns when that is done. */
  take(batches: readonly (readonly Edit[])[]): Promise<void>;
  close(): Promise<void>;
  /** Requests that were sent to the API. */
  calls?(): number;
  /** The number of handled edits, if the database does not tell. */
  handled?(): number;
}

export interface Audit {
  /** Pairs of edits of one issue that were handled at the same time. */
  readonly overlaps: number;
  /** Earlier edits of an issue that were applied after later ones. */
  readonly inversions: number;
  /** Edits without an outcome. */
  readonly stuck: number;
  /** Issues whose row does not have the content of the last edit. */
  readonly wrong: number;
  /** Transactions that the database aborted, if they were counted. */
  readonly deadlocks?: number;
  /** The number of row writes per edit. */
  readonly writesPerEdit: number | null;
}

/** The app's table in this comparison: all contenders write the same columns. */
export const TASKS = `
create table tasks (
  id bigint generated always as identity primary key,
  project_id bigint not null,
  title text not null,
  markdown text,
  status text not null,
  modified_at timestamptz not null
)`;

/** Makes the app refuse poisoned titles, so that their row can never be written. */
export const REFUSES_POISON = `
alter table tasks add constraint no_poison check (title not like '${POISON}%')`;

export function statusOf(state: Edit["state"]): string {
  return state === "closed" ? "done" : "todo";
}

/** Makes the database record every write of a task, in the order of the writes. */
export async function watchTasks(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create table written (id bigint generated always as identity, task bigint, at timestamptz);
    create function tell() returns trigger language plpgsql as $$
      begin
        insert into written (task, at) values (new.id, new.modified_at);
        return null;
      end
    $$;
    create trigger told after insert or update on tasks for each row execute function tell()`);
}

/** Writes of a task that went back in time; 0 if writes were not recorded. */
export async function inversionsOf(pool: pg.Pool): Promise<number> {
  const { rows: watched } = await pool.query<{ there: boolean }>(
    "select to_regclass('written') is not null as there",
  );
  if (watched[0]?.there !== true) return 0;
  const { rows } = await pool.query<{ count: string }>(
    `select count(*) from (
       select at, lag(at) over (partition by task order by id) as before from written
     ) as told where at < before`,
  );
  return Number(rows[0]?.count ?? 0);
}
