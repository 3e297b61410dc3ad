/** Runs that wait for a person's word. */
import type { HeldRuns } from "../held-runs.ts";
import type { MemoryState } from "./tables/index.ts";

export function memoryHeldRuns(state: MemoryState): HeldRuns {
  return {
    open: () =>
      state.transaction(() =>
        [...state.heldRuns.values()].sort((a, b) => Number(a.id) - Number(b.id)),
      ),
    hold: (run) =>
      state.transaction(() => {
        const known = [...state.heldRuns.values()].find(
          ({ connectionId, kind }) => connectionId === run.connectionId && kind === run.kind,
        );
        const id = known?.id ?? state.count("held run");
        state.heldRuns.set(id, { ...run, id, since: known?.since ?? state.now() });
        return id;
      }),
    move: (id, to) =>
      state.transaction(() => {
        const run = state.heldRuns.get(id);
        if (run === undefined) return false;
        if (to === "done" || to === "withdrawn") state.heldRuns.delete(id);
        else state.heldRuns.set(id, { ...run, state: to });
        return true;
      }),
  };
}
