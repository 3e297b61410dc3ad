/** A peer as an entry of the bench: its table, its processes, and the check of its result. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type pg from "pg";
import type { Entry, Outcome, Setting } from "../harness/bench.ts";
import { type Contestant, type Program, runContestant } from "../harness/run-contender.ts";
import { type Edit, isPoisoned, lastOf, makeWork, type Spread } from "../harness/work.ts";
import { installPeers } from "../peers/install.ts";
import { type Handled, orderOf } from "../peers/order.ts";
import type { PeerName } from "../peers/peers.ts";
import { hasRedis, startRedis } from "../peers/redis.ts";
import { type Audit, REFUSES_POISON, statusOf, TASKS } from "./contender.ts";

const PROGRAM = fileURLToPath(new URL("../peers/main.ts", import.meta.url));

const SCHEMA = `
${TASKS};
alter table tasks add column external_id text not null unique;
create table handled (edit integer, started bigint, ended bigint);
create table handed_over (edit integer, batch integer, sent bigint, taken bigint)`;

interface Ends {
  /** One edit in this many is for one issue, and has a title that an app may refuse. */
  readonly poisoned?: number;
  /** Whether the app refuses it. */
  readonly refused?: boolean;
}

/** The rate at which a peer handles edits in batches of 500, or all but those that the app refuses. */
export function peerEntry(peer: PeerName, spread: Spread, ends: Ends = {}): Entry {
  const { poisoned, refused = false } = ends;
  const kind = poisoned === undefined ? spread : refused ? "one poisoned" : "none refused";
  return {
    name: `${peer}, ${kind}`,
    async run(setting) {
      const installed = await installPeers((line) => process.stderr.write(`${line}\n`));
      if ("skipped" in installed) return { figures: {}, faults: [], ...installed };
      if (peer !== "BullMQ") return runPeer(setting, peer, spread, ends, { node: installed.node });
      if (!(await hasRedis())) {
        return {
          figures: {},
          faults: [],
          skipped: "no redis-server (apt-get install redis-server)",
        };
      }
      const redis = await startRedis();
      try {
        const env = { BENCH_REDIS_PORT: String(redis.port) };
        return await runPeer(setting, peer, spread, ends, { node: installed.node, env });
      } finally {
        await redis.stop();
      }
    },
  };
}

async function runPeer(
  setting: Setting,
  peer: PeerName,
  spread: Spread,
  { poisoned, refused = false }: Ends,
  runs: Pick<Program, "node" | "env">,
): Promise<Outcome> {
  const program: Program = { file: PROGRAM, flags: ["--no-warnings"], ...runs };
  const work = {
    ...{ spread, events: setting.quick ? 2_000 : 20_000, bytes: 2_048 },
    ...(poisoned === undefined ? {} : { poisoned }),
  };
  const refusedOnes = refused ? makeWork(work).filter(isPoisoned).length : 0;
  const contestant: Contestant = {
    ...{ name: peer, program, audit, due: work.events - refusedOnes },
    ...{ patienceMs: setting.quick ? 2_500 : 20_000 },
    async setUp(pool) {
      await pool.query(SCHEMA);
      if (refused) await pool.query(REFUSES_POISON);
      const url = pool.options.connectionString ?? "";
      await promisify(execFile)(runs.node, [PROGRAM, "prepare", peer, url]);
    },
  };
  const run = await runContestant(setting, contestant, work, 500);
  const { perSecond, handled, walPerEdit, cpuPerEdit, statements } = run;
  const { overlaps, inversions, wrong, deadlocks, writesPerEdit } = run.audit;
  return {
    figures: {
      ...{ perSecond, handled, overlaps, inversions, wrong, walPerEdit, cpuPerEdit },
      deadlocks: deadlocks ?? NaN,
      writesPerEdit: writesPerEdit ?? NaN,
    },
    faults: [],
    statements,
  };
}

async function audit(pool: pg.Pool, work: readonly Edit[]): Promise<Audit> {
  const { rows } = await pool.query<Record<keyof Omit<Handled, "issue">, string>>(
    "select edit, started, ended, batch, sent, taken from handled join handed_over using (edit)",
  );
  const handled = rows.map(({ edit, batch, started, ended, sent, taken }): Handled => ({
    ...{ edit: Number(edit), batch: Number(batch), issue: work[Number(edit)]?.issue ?? 0 },
    ...{ started: Number(started), ended: Number(ended), sent: Number(sent), taken: Number(taken) },
  }));
  const { rows: counted } = await pool.query<{ deadlocks: string }>(
    "select deadlocks from pg_stat_database where datname = current_database()",
  );
  const { rows: tasks } = await pool.query<Record<"external_id" | "title" | "status", string>>(
    "select external_id, title, status from tasks",
  );
  const is = new Map(tasks.map((task) => [task.external_id, task]));
  const different = new Set(handled.map(({ edit }) => edit)).size;
  const isDone = different === work.length;
  const wrong = [...lastOf(work).values()].filter(({ issue, title, state }) => {
    const task = is.get(String(issue));
    return task?.title !== title || task.status !== statusOf(state);
  });
  return {
    ...orderOf(handled),
    stuck: work.length - different,
    // After a time-out the rows cannot be checked.
    wrong: isDone ? wrong.length : NaN,
    deadlocks: Number(counted[0]?.deadlocks ?? 0),
    writesPerEdit: handled.length / different,
  };
}
