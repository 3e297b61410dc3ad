/** A Postgres with a standby behind one address, whose failover loses nothing, or what came last. */
import pg from "pg";
import { expect } from "vitest";
import { openAddress } from "../processes/address.ts";
import { asAdmin } from "../processes/node-sql.ts";
import { type TestDatabase, types } from "./databases.ts";
import { startPostgresNode } from "./postgres-server.ts";

export interface ReplicatedPostgres {
  readonly database: TestDatabase;
  /** From here on a commit is confirmed once the standby has it. */
  replicateSynchronously(): Promise<void>;
  /** From here on nothing reaches the standby: what is committed is lost in a failover. */
  cutOff(): Promise<void>;
  /** The primary crashes; the standby takes its place, with all that had reached it. */
  failOver(): Promise<void>;
  /** Restarts the server that is the primary by now. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const first = await startPostgresNode(process.env.TANDEM_TEST_EMBEDDED_PG);
  const standby = await first.addStandby();
  const address = await openAddress(first.port);
  let primary = first;
  await asAdmin(first, "create database app", "postgres");
  const url = new URL(first.adminUrl);
  url.pathname = "/app";
  url.port = String(address.port);
  const pool = new pg.Pool({ connectionString: url.href, max: 4, types });
  pool.on("error", () => undefined);
  let isCutOff = false;

  async function caughtUp(): Promise<void> {
    const [end] = await asAdmin<{ at: string }>(
      first,
      "select pg_current_wal_flush_lsn()::text as at",
      "postgres",
    );
    const asked = "select pg_last_wal_replay_lsn() >= $1::pg_lsn as done";
    const ask = async () =>
      (await asAdmin<{ done: boolean }>(standby, asked, "postgres", [end?.at]))[0];
    await expect.poll(ask, { timeout: 20_000, interval: 20 }).toEqual({ done: true });
  }

  return {
    database: {
      kind: "postgres",
      url: url.href,
      sql: async <T>(text: string, params?: unknown[]) => {
        const result: unknown = await pool.query(text, params);
        const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: T[] };
        return last.rows;
      },
      close: () => Promise.resolve(),
    },
    async replicateSynchronously() {
      await asAdmin(first, "alter system set synchronous_standby_names = '*'", "postgres");
      await asAdmin(first, "select pg_reload_conf()", "postgres");
      const asked = "select sync_state from pg_stat_replication";
      const ask = () => asAdmin(first, asked, "postgres");
      await expect.poll(ask, { timeout: 20_000, interval: 20 }).toEqual([{ sync_state: "sync" }]);
    },
    async cutOff() {
      await caughtUp();
      isCutOff = true;
      await asAdmin(standby, "alter system set primary_conninfo = ''", "postgres");
      await asAdmin(standby, "select pg_reload_conf()", "postgres");
      const receivers = () => asAdmin(standby, "select pid from pg_stat_wal_receiver", "postgres");
      await expect.poll(receivers, { timeout: 20_000, interval: 20 }).toEqual([]);
    },
    async failOver() {
      if (!isCutOff) await caughtUp();
      await first.halt("immediate");
      address.leadTo(standby.port);
      await standby.promote();
      primary = standby;
    },
    async restart() {
      await primary.halt("fast");
      await primary.resume();
    },
    async close() {
      await pool.end();
      await address.close();
      await standby.stop();
      await first.stop();
    },
  };
}
