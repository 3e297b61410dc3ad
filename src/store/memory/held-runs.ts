/** Runs that wait for a person's word. */
import type { HeldRuns } from "../held-runs.ts";
import type { MemoryState } from "./tables/index.ts";

export function memoryHeldRuns(state: MemoryState): HeldRuns {
  return {
    open: () =>
      state.transaction(() =>
        state.heldRuns.rows().toSorted((a, b) => Number(a.id) - Number(b.id)),
      ),
    hold: (run) =>
      state.transaction(() => {
        const known = state.heldRuns
          .rows()
          .find(({ connectionId, kind }) => connectionId === run.connectionId && kind === run.kind);
        const id = known?.id ?? state.count("held run");
        state.heldRuns.put({ ...run, id, since: known?.since ?? state.now() });
        return id;
      }),
    move: (id, to) =>
      state.transaction(() => {
        const run = state.heldRuns.get(id);
        if (run === undefined) return false;
        if (to === "done" || to === "withdrawn") state.heldRuns.delete(id);
        else state.heldRuns.put({ ...run, state: to });
        return true;
      }),
  };
}
