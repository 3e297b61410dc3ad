/**
 * Row 9: the cost of the triggers that capture local writes.
 *
 * An update in one statement is the worst case, because it contains nothing else: no round trip, no commit. There
 * even a trigger that never fires costs some 5 %, because Postgres fetches the old row before it checks the
 * trigger's condition.
 */
import {
  makeTable,
  MAPPED,
  noted,
  UNMAPPED,
  updateAll,
  updateOneByOne,
  type Watcher,
} from "../capture/watched-table.ts";
import type { Entry, Outcome, Row, Setting } from "../harness/bench.ts";
import { withOwnDatabase } from "../harness/own-database.ts";

export const CAPTURE: readonly Row[] = [
  {
    id: 9,
    name: "an update of mapped columns, a row",
    of: { entry: updates("capture"), figure: "mapped" },
    to: { entry: updates("audit"), figure: "mapped" },
    against:
      "an audit trigger written by hand: one row a change, the row before and after as jsonb",
    goal: 1.2,
    goalIs: "most",
  },
  {
    id: 9,
    name: "an update of other columns, one row a transaction",
    of: { entry: updates("capture"), figure: "unmappedOne" },
    to: { entry: updates("nobody"), figure: "unmappedOne" },
    against: "the same table without a trigger",
    goal: 1.05,
    goalIs: "most",
  },
  {
    id: 9,
    name: "an update of other columns, all rows in one statement",
    of: { entry: updates("capture"), figure: "unmapped" },
    to: { entry: updates("nobody"), figure: "unmapped" },
    against: "the same table without a trigger",
    goal: 1.05,
    goalIs: "most",
  },
  {
    id: 9,
    name: "an update of 1,000,000 rows in one statement, a row",
    of: { entry: bigUpdate(), figure: "large" },
    to: { entry: bigUpdate(), figure: "small" },
    against: "an update of 10,000 rows",
    goal: 1.2,
    goalIs: "most",
  },
];

function updates(watcher: Watcher): Entry {
  const name = `update, ${watcher}`;
  return {
    name,
    run: ({ adminUrl, quick }) =>
      withOwnDatabase(adminUrl, `bench_update_${watcher}`, async (database): Promise<Outcome> => {
        const rows = quick ? 5_000 : 20_000;
        const times = quick ? 5 : 9;
        await makeTable(database, watcher, rows);
        const unmapped = await updateAll(database, watcher, UNMAPPED, times);
        const unmappedOne = await updateOneByOne(database, quick ? 400 : 4_000);
        // An audit records these as well; the capture does not run.
        const needless = watcher === "capture" ? await noted(database, watcher) : 0;
        const mapped = await updateAll(database, watcher, MAPPED, times);
        const missed = watcher === "nobody" ? 0 : rows - (await noted(database, watcher));
        return {
          figures: { mapped, unmapped, unmappedOne },
          faults: [
            ...(needless === 0 ? [] : [`${name}: ${String(needless)} captured without need`]),
            ...(missed === 0 ? [] : [`${name}: ${String(missed)} not captured`]),
          ],
        };
      }),
  };
}

/** An update of a million rows costs as much per row as a small one. */
function bigUpdate(): Entry {
  const large = ({ quick, warmUp }: Setting) => (quick || warmUp ? 50_000 : 1_000_000);
  return {
    name: "large update, capture",
    run: (setting) =>
      withOwnDatabase(setting.adminUrl, "bench_large_update", async (database) => {
        await makeTable(database, "capture", 10_000);
        const small = await updateAll(database, "capture", MAPPED, 9);
        await database.pool.query("drop table tasks cascade; drop schema tandem cascade");
        const rows = large(setting);
        await makeTable(database, "capture", rows);
        const figures = { small, large: await updateAll(database, "capture", MAPPED, 1) };
        const missed = rows - (await noted(database, "capture"));
        const said = `large update: ${String(missed)} of ${String(rows)} not captured`;
        return { figures, faults: missed === 0 ? [] : [said] };
      }),
  };
}
