/** Counts of refused webhooks. */
import { addMillis, SECOND, truncateInstant } from "../../model/instant.ts";
import { type CountedRefusals, REFUSALS_KEPT_MS, type RefusalStore } from "../refusals.ts";
import { type MemoryState, refusalKeyOf, type Step } from "./tables/index.ts";

const MINUTE = 60 * SECOND;

export function memoryRefusals(state: MemoryState, step: Step): RefusalStore {
  const { refusals } = state;
  return {
    add: (added) =>
      step(() => {
        const now = state.now();
        const lastAt = truncateInstant(now, MINUTE);
        for (const { integration, code, count } of added) {
          const before = refusals.get(refusalKeyOf({ integration, code, lastAt }))?.count ?? 0;
          refusals.put({ integration, code, count: before + count, lastAt });
        }
        const oldest = addMillis(now, -REFUSALS_KEPT_MS);
        for (const one of refusals.rows()) {
          if (one.lastAt < oldest) refusals.delete(refusalKeyOf(one));
        }
      }),
    since: (at) =>
      step(() => {
        const sums = new Map<string, CountedRefusals>();
        const from = truncateInstant(at, MINUTE);
        for (const one of refusals.rows().toSorted((a, b) => a.lastAt - b.lastAt)) {
          if (one.lastAt < from) continue;
          const key = `${one.integration} ${one.code}`;
          const before = sums.get(key)?.count ?? 0;
          sums.set(key, { ...one, count: before + one.count });
        }
        return [...sums].sort(byCount).map(([, sum]) => sum);
      }),
  };
}

type Sum = readonly [name: string, sum: CountedRefusals];

function byCount([name, a]: Sum, [other, b]: Sum): number {
  return b.count - a.count || (name < other ? -1 : 1);
}
