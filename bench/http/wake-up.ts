/** The time from a committed delivery until an idle worker begins to process it. */
import { setTimeout as delay } from "node:timers/promises";
import { seededRandom } from "../../src/testing/random.ts";
import type { Entry, Outcome, Setting } from "../harness/bench.ts";
import { withOwnDatabase } from "../harness/own-database.ts";
import { forgetStatements, statementsOf } from "../harness/statements.ts";
import { makeWork } from "../harness/work.ts";
import { openConnection } from "./connection.ts";
import { JOBS } from "./listening.ts";
import { percentilesOf } from "./load.ts";
import { commitsOf, markCommits } from "./marks.ts";
import { withParts } from "./part.ts";
import { setUpTandem, TANDEM_PATH } from "./tandem.ts";
import { requestOf, signatureOf } from "./webhook.ts";

/** Warm-up of the processes; not counted. */
const UNCOUNTED = 5;

export type Waker = "tandem" | "listening";
/** Whether receiver and worker share a process. */
export type Processes = "one process" | "two processes";

export function wakeUpEntry(waker: Waker, processes: Processes): Entry {
  const name = `wake-up in ${processes}, ${waker}`;
  return { name, run: (setting) => measure(setting, name, waker, processes) };
}

function measure(
  setting: Setting,
  name: string,
  waker: Waker,
  processes: Processes,
): Promise<Outcome> {
  const events = UNCOUNTED + (setting.quick ? 15 : 100);
  const work = makeWork({ spread: "distinct", events, bytes: 2_048 });
  const random = seededRandom(7);
  return withOwnDatabase(setting.adminUrl, `bench_wake_${waker}`, async (database) => {
    const { url, pool, admin } = database;
    if (waker === "tandem") await setUpTandem(pool, url);
    else await pool.query(JOBS);
    const table = waker === "tandem" ? "tandem.deliveries" : "deliveries";
    await markCommits(pool, table, "delivery_key");
    return withParts(setting, async (start) => {
      const apart = processes === "two processes";
      const server = await start(waker, { url, receives: true, works: !apart });
      const worker = apart ? await start(waker, { url, receives: false, works: true }) : server;
      const connection = await openConnection(server.opened.port);
      await forgetStatements(admin);
      const statuses: number[] = [];
      for (const { key, text } of work) {
        // A random delay, so that the webhook is not in step with a poll of the queue.
        await delay(30 + random() * 40);
        const body = Buffer.from(text);
        statuses.push(await connection.send(requestOf(TANDEM_PATH, key, body, signatureOf(body))));
      }
      await delay(300);
      connection.close();
      if (apart) await server.stop();
      const { began } = (await worker.stop()).value;
      const commits = await commitsOf(pool);
      const taken = work.map(
        ({ key, updatedAt }) => (began[updatedAt] ?? NaN) - (commits.get(key) ?? NaN),
      );
      const lost = taken.filter(Number.isNaN).length;
      const faults = [
        ...statuses
          .filter((status) => status !== 202)
          .map((status) => `${name}: answered ${String(status)}`),
        ...(lost > 0 ? [`${name}: ${String(lost)} were never begun`] : []),
      ];
      // Work that began before the commit needed no wake-up.
      const counted = taken
        .slice(UNCOUNTED)
        .filter((one) => !Number.isNaN(one))
        .map((one) => Math.max(0, one));
      const figures = percentilesOf(counted.sort((a, b) => a - b));
      return { figures, faults, statements: await statementsOf(pool) };
    });
  });
}
