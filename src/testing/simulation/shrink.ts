/**
 * Making a failing history short: delta debugging over its moves, and over what goes wrong all the
 * time. Whatever can be left out while it still fails is left out.
 */
import { type Fault, FAULTS } from "./plan.ts";

export interface Told {
  /** The ids of the moves that are told. */
  readonly moves: readonly number[];
  /** What does not go wrong. */
  readonly without: readonly Fault[];
}

export interface ShrinkOptions {
  /** Whether a history still fails in the same way. */
  readonly fails: (told: Told) => Promise<boolean>;
  /** How often a history may be told. Default: 600. */
  readonly budget?: number;
}

/** @returns a history that fails and of which, within the budget, nothing can be left out. */
export async function shrink(whole: Told, { fails, budget = 600 }: ShrinkOptions): Promise<Told> {
  let best = whole;
  let left = budget;
  const isShorter = async (told: Told): Promise<boolean> => {
    if (left <= 0) return false;
    left -= 1;
    if (!(await fails(told))) return false;
    best = told;
    return true;
  };
  for (let before = -1; before !== sizeOf(best) && left > 0;) {
    before = sizeOf(best);
    for (const fault of FAULTS) {
      if (best.without.includes(fault)) continue;
      await isShorter({ ...best, without: [...best.without, fault] });
    }
    for (let size = Math.ceil(best.moves.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let start = 0; start < best.moves.length && left > 0;) {
        const moves = [...best.moves.slice(0, start), ...best.moves.slice(start + size)];
        // What was taken out makes room: the next part begins at the same place.
        if (!(await isShorter({ ...best, moves }))) start += size;
      }
    }
  }
  return best;
}

function sizeOf({ moves, without }: Told): number {
  return moves.length + FAULTS.length - without.length;
}
