/**
 * Shrinks a failing history of the simulation: over what goes wrong all the time, and over its moves. Each part
 * that it fails without is left out.
 */
import { leaveOut } from "../shrink.ts";
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
export async function shrink(whole: Told, { fails, ...budget }: ShrinkOptions): Promise<Told> {
  const faults = FAULTS.filter((fault) => !whole.without.includes(fault));
  const parts = await leaveOut<Fault | number>([...faults, ...whole.moves], {
    ...budget,
    fails: (fewer) => fails(toldOf(fewer)),
  });
  return toldOf(parts);
}

/** A move is a number, and a fault is a name. */
function toldOf(parts: readonly (Fault | number)[]): Told {
  return {
    moves: parts.filter((part) => typeof part === "number"),
    without: FAULTS.filter((fault) => !parts.includes(fault)),
  };
}
