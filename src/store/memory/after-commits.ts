/** Hooks that are to follow a commit: noted with the write, claimed like events, removed when run. */
import { storableValue } from "../database/index.ts";
import type { AfterCommitMark, AfterCommitStore } from "../store.ts";
import type { MemoryState } from "./tables/index.ts";

/** The hooks as one transaction sees them; `step` runs each of its steps within it. */
export function memoryAfterCommits(
  state: MemoryState,
  step: <T>(work: () => T) => Promise<T>,
): AfterCommitStore {
  const { afterCommits } = state;
  return {
    add: (mark) =>
      step(() => {
        const id = state.count("after commit");
        const row = storableValue(mark.row);
        afterCommits.put({ ...mark, row, id, attempts: 0, runAt: state.now() });
      }),
    claim: (limit, until) =>
      step(() => {
        const now = state.now();
        const oldest = new Map<string, number>();
        for (const { id, ...mark } of afterCommits.rows()) {
          const first = oldest.get(recordOf(mark)) ?? Infinity;
          oldest.set(recordOf(mark), Math.min(first, Number(id)));
        }
        const due = afterCommits
          .rows()
          .filter((mark) => oldest.get(recordOf(mark)) === Number(mark.id))
          .filter(({ runAt }) => runAt <= now)
          .sort((a, b) => a.runAt - b.runAt || Number(a.id) - Number(b.id))
          .slice(0, limit)
          .sort((a, b) => Number(a.id) - Number(b.id));
        return due.map(({ runAt: _, ...mark }) => {
          const claimed = { ...mark, attempts: mark.attempts + 1 };
          // Putting it off is the claim: should its worker die, another finds it due again.
          afterCommits.put({ ...claimed, runAt: until });
          return claimed;
        });
      }),
    done: (id) =>
      step(() => {
        afterCommits.delete(id);
      }),
    again: (id, runAt) =>
      step(() => {
        const mark = afterCommits.get(id);
        if (mark !== undefined) afterCommits.put({ ...mark, runAt });
      }),
  };
}

function recordOf(mark: Pick<AfterCommitMark, "recordType" | "recordId">): string {
  return `${mark.recordType}\n${mark.recordId}`;
}
