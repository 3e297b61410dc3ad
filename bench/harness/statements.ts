/** The statements that took most of the database's time, as `pg_stat_statements` counts them. */
import type pg from "pg";

export interface Statement {
  readonly text: string;
  readonly calls: number;
  readonly rows: number;
  readonly millis: number;
  readonly walBytes: number;
}

/** Settings of a server that counts statements, including those of functions and triggers. */
export const COUNTING = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track": "all",
  track_io_timing: "on",
};

export async function forgetStatements(admin: pg.Client): Promise<void> {
  if (!(await keepsCount(admin))) return;
  await admin.query("create extension if not exists pg_stat_statements");
  await admin.query("select pg_stat_statements_reset()");
}

/** The statements of a database, the longest first. */
export async function statementsOf(pool: pg.Pool): Promise<readonly Statement[]> {
  if (!(await keepsCount(pool))) return [];
  await pool.query("create extension if not exists pg_stat_statements");
  const { rows } = await pool.query<Record<keyof Statement, string>>(
    `select
       query as text, calls, rows, total_exec_time as millis, wal_bytes as "walBytes"
     from pg_stat_statements
     where calls > 0 and query !~ '^(create|drop|alter|grant|revoke|show)' and query !~* 'pg_stat_statements'
       and dbid = (select oid from pg_database where datname = current_database())
     order by total_exec_time desc
     limit 30`,
  );
  return rows.map(({ text, calls, rows: count, millis, walBytes }) => ({
    text,
    calls: Number(calls),
    rows: Number(count),
    millis: Number(millis),
    walBytes: Number(walBytes),
  }));
}

async function keepsCount(database: pg.Client | pg.Pool): Promise<boolean> {
  const { rows } = await database.query<{ shared_preload_libraries: string }>(
    "show shared_preload_libraries",
  );
  return rows[0]?.shared_preload_libraries.includes("pg_stat_statements") === true;
}
