/** Row 5: the cost of an event does not depend on the number of events that ended before. */
import type { Audit } from "../contenders/contender.ts";
import { product } from "../contenders/product.ts";
import type { Entry, Row, Setting } from "../harness/bench.ts";
import { faultsOf, OWN_PROGRAM, runContestant } from "../harness/run-contender.ts";
import { loadEndedEvents, looksAtHistory } from "../history/ended-events.ts";
import { BATCH, bytes, rateOf } from "./deliveries.ts";

const EVENTS = 5_000_000;

export const HISTORY: readonly Row[] = [
  {
    ...{ id: 5, name: "with 5,000,000 finished events, end to end", length: "long", rounds: 3 },
    of: { entry: beforeHistory(), figure: "perSecond" },
    to: rateOf("product", "uniform"),
    against: "its own rate with an empty ledger",
    goal: 0.9,
    goalIs: "least",
  },
];

function beforeHistory(): Entry {
  const name = "product, uniform, with history";
  return {
    name,
    async run(setting: Setting) {
      const work = { spread: "uniform", events: setting.quick ? 4_000 : 20_000, bytes } as const;
      const wanted = Math.ceil(EVENTS * setting.scale * (setting.warmUp ? 0.02 : 1));
      let loaded = 0;
      let looks = { scanned: 0, looks: 0, fetched: 0 };
      const contestant = {
        ...product,
        ...{ name: "product", program: OWN_PROGRAM },
        async setUp(pool: Parameters<typeof product.setUp>[0]) {
          await product.setUp(pool);
          loaded = await loadEndedEvents(pool, wanted);
          // Reads of the loading itself must not count as reads of the edits.
          await pool.query("select pg_stat_force_next_flush()");
          await pool.query("select pg_stat_reset()");
        },
        async audit(...[pool, edits]: Parameters<typeof product.audit>): Promise<Audit> {
          looks = await looksAtHistory(pool);
          const audit = await product.audit(pool, edits);
          return { ...audit, stuck: audit.stuck + loaded, writesPerEdit: null };
        },
      };
      const run = await runContestant(setting, contestant, work, BATCH);
      const { perSecond, walPerEdit, cpuPerEdit, statements } = run;
      const scanned =
        looks.scanned === 0 ? [] : [`${name}: ${String(looks.scanned)} ended events were scanned`];
      return {
        figures: {
          ...{ perSecond, walPerEdit, cpuPerEdit },
          looksPerEdit: looks.looks / work.events,
          fetchedPerEdit: looks.fetched / work.events,
        },
        faults: [...faultsOf(name, run), ...scanned],
        statements,
      };
    },
  };
}
