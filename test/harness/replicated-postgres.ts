/** A Postgres with a standby, whose failover loses nothing, or what came last. */
// eslint-disable-next-line no-restricted-imports -- the chaos run has no expect.poll
import { setTimeout as delay } from "node:timers/promises";
import { asAdmin } from "../processes/node-sql.ts";
import { type PostgresNode, startPostgresNode } from "./postgres-server.ts";

export interface ReplicatedPostgres {
  /** The server that takes writes. */
  readonly primary: () => PostgresNode;
  /** From here on a commit is confirmed once the standby has it. */
  replicateSynchronously(): Promise<void>;
  /** Waits until the standby has all, and lets nothing more reach it: what is committed then is lost. */
  cutOff(): Promise<void>;
  /** The primary crashes, and the standby takes its place, with what had reached it. */
  failOver(): Promise<void>;
  close(): Promise<void>;
}

/** @param lead told where the primary is; at first, too */
export async function startReplicatedPostgres(
  lead: (port: number) => void,
): Promise<ReplicatedPostgres> {
  const first = await startPostgresNode(process.env.TANDEM_TEST_EMBEDDED_PG);
  const standby = await first.addStandby();
  let primary = first;
  /** Whether nothing is left to wait for before the primary crashes. */
  let isReady = false;
  lead(first.port);

  async function catchUp(): Promise<void> {
    const asked = "select pg_current_wal_flush_lsn()::text as at";
    const [end] = await asAdmin<{ at: string }>(first, asked, "postgres");
    await until(standby, "pg_last_wal_replay_lsn() >= $1::pg_lsn", [end?.at]);
  }

  return {
    primary: () => primary,
    async replicateSynchronously() {
      await asAdmin(first, "alter system set synchronous_standby_names = '*'", "postgres");
      await asAdmin(first, "select pg_reload_conf()", "postgres");
      await until(
        first,
        "current_setting('synchronous_standby_names') <> '' and exists (select from pg_stat_replication where sync_state = 'sync')",
      );
      isReady = true;
    },
    async cutOff() {
      await catchUp();
      await asAdmin(standby, "alter system set primary_conninfo = ''", "postgres");
      await asAdmin(standby, "select pg_reload_conf()", "postgres");
      await until(standby, "not exists (select from pg_stat_wal_receiver)");
      isReady = true;
    },
    async failOver() {
      if (!isReady) await catchUp();
      await first.halt("immediate");
      await standby.promote();
      primary = standby;
      lead(standby.port);
    },
    async close() {
      await standby.stop();
      await first.stop();
    },
  };
}

const LOOK_AGAIN_MS = 20;
const PATIENCE_MS = 30_000;

async function until(node: PostgresNode, condition: string, params?: unknown[]): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    const asked = `select (${condition}) as done`;
    const [row] = await asAdmin<{ done: boolean | null }>(node, asked, "postgres", params);
    if (row?.done === true) return;
    await delay(LOOK_AGAIN_MS);
  }
  throw new Error(`in vain: ${condition}`);
}
