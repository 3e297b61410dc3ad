/** Tandem itself: verified deliveries arrive through the store's batch function, and workers do the rest. */
import type pg from "pg";
import { pino } from "pino";
import { type AccountId, deliveryId, uuidv7 } from "../../src/model/ids.ts";
import { systemClock } from "../../src/runtime/services/system-clock.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { type Edit, lastOf, REPOSITORY_ID } from "../harness/work.ts";
import { type Audit, type Contender, inversionsOf, statusOf, TASKS } from "./contender.ts";
import { syncedTasks } from "./synced-tasks.ts";

const HOUR_MS = 3_600_000;

/**
 * GitHub after all edits: a re-read of an issue returns its last edit. Any other request is a fault of the
 * harness.
 */
function answering(work: readonly Edit[], counted: () => void): typeof fetch {
  const last = lastOf(work);
  return (input) => {
    counted();
    const url = new URL(input instanceof Request ? input.url : input);
    const edit = last.get(Number(/\/issues\/(\d+)$/.exec(url.pathname)?.[1] ?? "0"));
    if (edit === undefined) throw new Error(`the bench has no answer to ${url.pathname}`);
    const { issue } = JSON.parse(edit.text) as { readonly issue: object };
    return Promise.resolve(Response.json(issue, { headers: { date: new Date().toUTCString() } }));
  };
}

export const product: Contender & { readonly setUp: (pool: pg.Pool) => Promise<void> } = {
  async setUp(pool) {
    await pool.query(TASKS);
    const url = pool.options.connectionString ?? "";
    const tandem = await createTandem(syncedTasks(url), { fetch: answering([], () => undefined) });
    try {
      await tandem.migrate();
      const { directory } = tandem.services.store;
      const accountId: AccountId = await directory.saveAccount({
        integration: "github",
        name: "bench",
        credentials: { token: "ghp_bench" },
        webhookSecrets: [],
      });
      await directory.saveConnection({
        accountId,
        integration: "github",
        containerId: String(REPOSITORY_ID),
        containerName: "acme/site",
        scope: "1",
      });
      // Keeps polls and sweeps out of the measured time.
      await pool.query("update tandem.connections set polled_at = now(), swept_at = now()");
    } finally {
      await tandem.stop();
    }
  },

  async open(url, process, work) {
    let calls = 0;
    const count = () => void (calls += 1);
    const tandem = await createTandem(syncedTasks(url), {
      fetch: answering(work, count),
      workerName: `bench-${String(process)}`,
      log: pino({ level: "warn", base: null }),
    });
    const { random } = tandem.services;
    tandem.startWorker({ pollMillis: 24 * HOUR_MS, sweepMillis: 24 * HOUR_MS });
    return {
      async take(batches) {
        for (const batch of batches) {
          const now = systemClock.now();
          await tandem.receive(
            batch.map(({ key, text }) => ({
              id: deliveryId(uuidv7(now, random)),
              integration: "github",
              deliveryKey: key,
              event: "issues",
              payload: text,
              verifiedBy: null,
            })),
          );
        }
      },
      close: () => tandem.stop(),
      calls: () => calls,
    };
  },

  async left(pool) {
    // Whether, not how many: counting would cost measured time.
    const { rows } = await pool.query<{ left: boolean }>(
      `select
         exists (select from tandem.deliveries where state in ('received', 'failed'))
         or exists (select from tandem.events_live)
         or exists (select from tandem.changes) as left`,
    );
    return rows[0]?.left === true ? 1 : 0;
  },

  audit,
};

async function audit(pool: pg.Pool, work: readonly Edit[]): Promise<Audit> {
  // Each claim has its own epoch of the lane: two events that ended in one epoch overlapped.
  const { rows: overlaps } = await pool.query<{ count: string }>(
    `select count(*) from (
       select from tandem.events_ended
       where started_at is not null
       group by lane_id, epoch having count(*) > 1
     ) as doubled`,
  );
  const { rows: outcomes } = await pool.query<{ ended: string; written: string }>(
    `select
       count(*) filter (where finished_at is not null) as ended,
       count(*) filter (where reason in ('created_record', 'updated_record')) as written
     from tandem.events`,
  );
  const { rows: tasks } = await pool.query<
    Record<"external_id" | "title" | "markdown" | "status", string>
  >(
    `select lanes.external_id, tasks.title, tasks.markdown, tasks.status
     from tandem.lanes join tasks on tasks.id = lanes.record_id::bigint`,
  );
  const is = new Map(tasks.map((task) => [task.external_id, task]));
  const wrong = [...lastOf(work).values()].filter((edit) => {
    const task = is.get(String(edit.issue));
    return (
      task?.title !== edit.title ||
      task.markdown !== edit.body ||
      task.status !== statusOf(edit.state)
    );
  });
  return {
    overlaps: Number(overlaps[0]?.count ?? 0),
    inversions: await inversionsOf(pool),
    stuck: work.length - Number(outcomes[0]?.ended ?? 0),
    wrong: wrong.length,
    writesPerEdit: Number(outcomes[0]?.written ?? 0) / work.length,
  };
}
