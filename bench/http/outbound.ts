/** Edits of the app's own rows that are sent to an API with 20 ms per call. */
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { deliveryId, uuidv7 } from "../../src/model/ids.ts";
import { systemClock } from "../../src/runtime/services/system-clock.ts";
import { seededRandom } from "../../src/testing/random.ts";
import type { Entry, Outcome, Setting } from "../harness/bench.ts";
import { type OwnDatabase, withOwnDatabase } from "../harness/own-database.ts";
import { forgetStatements, statementsOf } from "../harness/statements.ts";
import { makeWork } from "../harness/work.ts";
import type { Said } from "./api.ts";
import { withParts } from "./part.ts";
import { openTandem, setUpTandem } from "./tandem.ts";

/** The worker's own default. */
const CONCURRENCY = 16;
const BURST = 1_000;
const LOOK_MS = 10;
const PATIENCE_MS = 60_000;
/** Warm-up of connections and code; not counted. */
const FIRST = 32;

export const tandemOutbound: Entry = {
  name: "outbound, tandem",
  run: (setting) => sendEdits(setting),
};
export const fetchOutbound: Entry = {
  name: "outbound, fetch",
  run: (setting) => fetchEdits(setting),
};
export const burstOutbound: Entry = {
  name: "outbound, burst",
  run: (setting) => sendBurst(setting),
};

function sendEdits(setting: Setting): Promise<Outcome> {
  return withOwnDatabase(setting.adminUrl, "bench_outbound", (database) =>
    withParts(setting, async (start) => {
      const { pool, url, admin } = database;
      const issues = issuesOf(FIRST + sizeOf(setting));
      const api = await start("api", { issues });
      await pairAll(database, addressOf(api.opened.port), issues.length);
      const worker = await start("tandem", { url, receives: false, works: true, hasApi: true });
      await edit(pool, 1, FIRST);
      await untilQuiet(pool);
      await admin.query("checkpoint");
      await forgetStatements(admin);
      const began = performance.now();
      await edit(pool, FIRST + 1, issues.length);
      await untilQuiet(pool);
      const seconds = (performance.now() - began) / 1_000;
      const statements = await statementsOf(pool);
      const { cpu } = await worker.stop();
      const said = (await api.stop()).value;
      const edits = issues.length - FIRST;
      return {
        figures: {
          perSecond: edits / seconds,
          callsPerEdit: said.calls / issues.length,
          cpuPerEdit: cpu / issues.length,
        },
        faults: [
          ...said.others.slice(0, 3).map((other) => `outbound, tandem: it asked for ${other}`),
          ...(await wrongOf(pool, said.issues)),
        ],
        statements,
      };
    }),
  );
}

function fetchEdits(setting: Setting): Promise<Outcome> {
  return withParts(setting, async (start) => {
    const issues = issuesOf(sizeOf(setting));
    const api = await start("api", { issues });
    const { opened } = await start("fetching", {
      ...{ api: addressOf(api.opened.port), issues: issues.length, concurrency: CONCURRENCY },
    });
    await api.stop();
    return {
      figures: { perSecond: opened.perSecond },
      faults: opened.failed === 0 ? [] : [`outbound, fetch: ${String(opened.failed)} failed`],
    };
  });
}

/** A script of the app edits one record again and again, with a commit each time. */
function sendBurst(setting: Setting): Promise<Outcome> {
  return withOwnDatabase(setting.adminUrl, "bench_outbound_burst", (database) =>
    withParts(setting, async (start) => {
      const { pool, url } = database;
      const issues = issuesOf(2);
      const api = await start("api", { issues });
      await pairAll(database, addressOf(api.opened.port), issues.length);
      const worker = await start("tandem", { url, receives: false, works: true, hasApi: true });
      await edit(pool, 2, 2);
      await untilQuiet(pool);
      const began = performance.now();
      await pool.query(`
        do $$ begin
          for n in 1..${String(BURST)} loop
            update tasks set title = 'Edit ' || n
            from tandem.lanes
            where lanes.record_id::bigint = tasks.id and external_id = '1';
            commit;
          end loop;
        end $$`);
      const millis = performance.now() - began;
      await untilQuiet(pool);
      await worker.stop();
      const said = (await api.stop()).value;
      // The other issue was edited once.
      return {
        figures: { calls: said.calls - 1, millis },
        faults: await wrongOf(pool, said.issues),
      };
    }),
  );
}

function sizeOf({ quick }: Setting): number {
  return quick ? 120 : 5_000;
}

function addressOf(port: number): string {
  return `http://127.0.0.1:${String(port)}`;
}

function issuesOf(count: number): readonly Said[] {
  const work = makeWork({ spread: "distinct", events: count, bytes: 2_048 });
  return work.map(({ title, body, state }) => ({ title, body, state }));
}

/** Creates tasks as in production: by webhooks of their issues. */
async function pairAll({ pool, url }: OwnDatabase, api: string, count: number): Promise<void> {
  await setUpTandem(pool, url, api);
  const random = seededRandom(10);
  const tandem = await openTandem({ url });
  try {
    const now = systemClock.now();
    await tandem.services.store.deliveries.receive(
      makeWork({ spread: "distinct", events: count, bytes: 2_048 }).map(({ key, text }) => ({
        id: deliveryId(uuidv7(now, random)),
        integration: "github",
        deliveryKey: key,
        event: "issues",
        payload: text,
        verifiedBy: null,
      })),
    );
    await tandem.settle();
  } finally {
    await tandem.stop();
  }
  await pool.query("vacuum analyze");
}

async function edit(pool: pg.Pool, from: number, to: number): Promise<void> {
  await pool.query(
    `update tasks set title = 'Edited ' || external_id, modified_at = now()
     from tandem.lanes
     where lanes.record_id::bigint = tasks.id and external_id::integer between $1 and $2`,
    [from, to],
  );
}

async function untilQuiet(pool: pg.Pool): Promise<void> {
  const ends = performance.now() + PATIENCE_MS;
  while (performance.now() < ends) {
    // Whether, not how many: counting would cost measured time.
    const { rows } = await pool.query<{ left: boolean }>(
      `select
         exists (select from tandem.changes)
         or exists (select from tandem.events_live where state in ('queued', 'processing')) as left`,
    );
    if (rows[0]?.left !== true) return;
    await delay(LOOK_MS);
  }
}

/** Records that differ from their issue at the end. */
async function wrongOf(pool: pg.Pool, issues: readonly Said[]): Promise<readonly string[]> {
  const { rows } = await pool.query<{ external_id: string; title: string }>(
    `select external_id, title from tasks join tandem.lanes on lanes.record_id::bigint = tasks.id`,
  );
  const wrong = rows.filter(
    ({ external_id: id, title }) => issues[Number(id) - 1]?.title !== title,
  );
  if (rows.length === issues.length && wrong.length === 0) return [];
  return [
    `outbound: ${String(wrong.length)} of ${String(rows.length)} records differ from their issue`,
  ];
}
