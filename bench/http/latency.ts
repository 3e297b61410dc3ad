/** The time from a webhook's due time to its record's final content, at 200 webhooks a second. */
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { Entry, Outcome, Setting } from "../harness/bench.ts";
import { withOwnDatabase } from "../harness/own-database.ts";
import { forgetStatements, statementsOf } from "../harness/statements.ts";
import { type Edit, makeWork, type WorkOptions } from "../harness/work.ts";
import { FACTS } from "../contenders/limit.ts";
import { arrivals, percentilesOf } from "./load.ts";
import { commitsOf, markCommits } from "./marks.ts";
import { withParts } from "./part.ts";
import { setUpTandem, TANDEM_PATH } from "./tandem.ts";

const PER_SECOND = 200;
/** Three seconds of warm-up, until code is compiled and statements are planned; not counted. */
const UNCOUNTED = 600;
const PATIENCE_MS = 5_000;

export function latencyEntry(side: "tandem" | "direct"): Entry {
  return { name: `latency, ${side}`, run: (setting) => measure(setting, side) };
}

function measure(setting: Setting, side: "tandem" | "direct"): Promise<Outcome> {
  const uncounted = setting.quick ? UNCOUNTED / 3 : UNCOUNTED;
  const events = uncounted + (setting.quick ? 400 : 1_600);
  const work: WorkOptions = { spread: "uniform", bytes: 2_048, events };
  return withOwnDatabase(setting.adminUrl, `bench_latency_${side}`, async (database) => {
    const { url, pool, admin } = database;
    if (side === "tandem") await setUpTandem(pool, url);
    else await pool.query(FACTS);
    await markCommits(pool, "tasks", "modified_at");
    return withParts(setting, async (start) => {
      const server =
        side === "tandem"
          ? await start("tandem", { url, receives: true, works: true })
          : await start("direct", { url });
      await admin.query("checkpoint");
      await forgetStatements(admin);
      const sent = await arrivals({
        ...{ port: server.opened.port, path: TANDEM_PATH, work, perSecond: PER_SECOND },
      });
      const edits = makeWork(work);
      const visible = await visibleAt(pool, edits);
      await server.stop();
      const taken = edits
        .map((_, index) => (visible[index] ?? NaN) - (sent.dueAt[index] ?? NaN))
        .slice(uncounted);
      const lost = taken.filter(Number.isNaN).length;
      const faults = [
        ...(sent.refused > 0 ? [`latency, ${side}: ${String(sent.refused)} refused`] : []),
        ...(lost > 0 ? [`latency, ${side}: ${String(lost)} never became visible`] : []),
      ];
      const sorted = taken.filter((one) => !Number.isNaN(one)).sort((a, b) => a - b);
      return { figures: percentilesOf(sorted), faults, statements: await statementsOf(pool) };
    });
  });
}

/** When each edit became visible: itself, or a later edit of the same issue that replaced it. */
async function visibleAt(pool: pg.Pool, edits: readonly Edit[]): Promise<readonly number[]> {
  const ends = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = seenIn(await commitsOf(pool), edits);
    if (!seen.some(Number.isNaN) || performance.now() > ends) return seen;
    await delay(50);
  }
}

function seenIn(commits: ReadonlyMap<string, number>, edits: readonly Edit[]): readonly number[] {
  const byTime = new Map([...commits].map(([mark, at]) => [Date.parse(mark), at]));
  const later = new Map<number, number>();
  return edits
    .toReversed()
    .map(({ issue, updatedAt }) => {
      const own = byTime.get(Date.parse(updatedAt)) ?? Infinity;
      const first = Math.min(own, later.get(issue) ?? Infinity);
      later.set(issue, first);
      return first === Infinity ? NaN : first;
    })
    .reverse();
}
