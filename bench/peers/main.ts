/** The program of the peers' processes: `prepare NAME URL`, or the harness's instructions. */
import pg from "pg";
import type { Opened } from "../contenders/contender.ts";
import { serve } from "../harness/process.ts";
import type { Edit } from "../harness/work.ts";
import type { Handled } from "./order.ts";
import type { Ground, Job } from "./peer.ts";
import { PEERS, type PeerName } from "./peers.ts";
import { UPSERT, valuesOf } from "./upsert.ts";

const [what, prepared, database] = process.argv.slice(2);
if (what === "prepare") {
  // The bench took the name from the same table.
  const url = database ?? "";
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  await PEERS[prepared as PeerName].prepare(url, () => analyze(pool));
  process.exit();
}

/** The connections for the app's own upserts, in each process. */
const CONNECTIONS = 8;

/** The batch before which the tables are analyzed. */
const ANALYZED_AT = 1;

/** A time on which the processes of one machine agree, in microseconds. */
const now = () => Number(process.hrtime.bigint() / 1_000n);

serve(async ({ contender, url, process: place }, edits): Promise<Opened> => {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  pool.on("error", () => undefined);
  const places = new Map(edits.map(({ key }, place) => [key, place]));
  const handled: Pick<Handled, "edit" | "started" | "ended">[] = [];
  const handedOver: Pick<Handled, "edit" | "batch" | "sent" | "taken">[] = [];
  const placeOf = (key: string) => places.get(key) ?? -1;
  const ground: Ground = {
    ...{ url, process: place, redisPort: Number(process.env.BENCH_REDIS_PORT ?? "0") },
    async handle(job) {
      const started = now();
      await pool.query({ name: "upsert", text: UPSERT, values: valuesOf(job) });
      handled.push({ edit: placeOf(job.delivery), started, ended: now() });
    },
  };
  let analyzing = Promise.resolve();
  const peer = await PEERS[contender as PeerName].open(ground);
  return {
    async take(batches) {
      for (const [index, batch] of batches.entries()) {
        if (index === ANALYZED_AT && place === 0) analyzing = analyze(pool);
        const sent = now();
        await peer.enqueue(batch.map(jobOf));
        const taken = now();
        const first = placeOf(batch[0]?.key ?? "");
        for (const { key } of batch) {
          handedOver.push({ edit: placeOf(key), batch: first, sent, taken });
        }
      }
    },
    handled: () => handled.length,
    async close() {
      await analyzing;
      await peer.close();
      await pool.query(
        `insert into handled select edit, started, ended
         from json_to_recordset($1) as told (edit integer, started bigint, ended bigint)`,
        [JSON.stringify(handled)],
      );
      await pool.query(
        `insert into handed_over select edit, batch, sent, taken
         from json_to_recordset($1) as told (
           edit integer, batch integer, sent bigint, taken bigint
         )`,
        [JSON.stringify(handedOver)],
      );
      await pool.end();
    },
  };
});

// A library may keep handles open, but no work is left.
process.once("disconnect", () => {
  process.exit();
});

/**
 * Replaces autovacuum, which analyzes a queue within the first minute of its use, but too late here. Without
 * statistics Postgres plans for empty tables.
 */
async function analyze(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    "select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables",
  );
  await pool.query(`analyze ${rows.map(({ name }) => name).join(", ")}`);
}

function jobOf({ key, text }: Edit): Job {
  return { delivery: key, payload: JSON.parse(text) as Job["payload"] };
}
