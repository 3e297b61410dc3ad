/** What takes part in a comparison: it is given the work in batches, and ends it in the app's rows. */
import type pg from "pg";
import { type Edit, POISON } from "../harness/work.ts";

/** What the harness's own process does for a contender. */
export interface Judged {
  /** Once for a database, before its processes start. */
  readonly setUp: (pool: pg.Pool, work: readonly Edit[]) => Promise<void>;
  /** 0 once every edit has its outcome; asked while it runs, where processes do not wait for it. */
  readonly left?: (pool: pg.Pool) => Promise<number>;
  /** What the database says of the outcome of each edit: complaints, none where all is well. */
  readonly audit: (pool: pg.Pool, work: readonly Edit[]) => Promise<Audit>;
}

/** One that runs in a process of the harness, beside others of its kind. */
export interface Contender extends Judged {
  /** In each process. */
  readonly open: (url: string, process: number, work: readonly Edit[]) => Promise<Opened>;
}

export interface Opened {
  /** Takes this process's share and returns when it has let go of it. */
  take(batches: readonly (readonly Edit[])[]): Promise<void>;
  close(): Promise<void>;
  /** Requests that left for the API. */
  calls?(): number;
  /** Edits that it has handled, where the database does not tell. */
  handled?(): number;
}

export interface Audit {
  /** Two of one issue at once. */
  readonly overlaps: number;
  /** Earlier ones of an issue that were applied after later ones. */
  readonly inversions: number;
  /** Edits without an outcome. */
  readonly stuck: number;
  /** Issues whose row is not what was said last. */
  readonly wrong: number;
  /** Transactions that the database had to break off, where they were counted. */
  readonly deadlocks?: number;
  /** Rows written for each edit. */
  readonly writesPerEdit: number | null;
}

/** The app's table, as far as the comparison goes: everyone writes the same columns. */
export const TASKS = `
create table tasks (
  id bigint generated always as identity primary key,
  project_id bigint not null,
  title text not null,
  markdown text,
  status text not null,
  modified_at timestamptz not null
)`;

/** An app that takes no poisoned title: its row can never be written. */
export const REFUSES_POISON = `
alter table tasks add constraint no_poison check (title not like '${POISON}%')`;

export function statusOf(state: Edit["state"]): string {
  return state === "closed" ? "done" : "todo";
}

/** Has every write of a task told, by the database itself, in the order in which they were made. */
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

/** Writes of a task that went back in time; none is known where nobody watched. */
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
