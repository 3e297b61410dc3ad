/**
 * Shrinks a failing history of the simulation, over its permanent faults and its moves. It leaves out each part
 * without which the history still fails.
 */
import { leaveOut } from "../shrink.ts";
import { type Fault, FAULTS } from "./plan.ts";

export interface Told {
  /** The ids of the moves that run. */
  readonly moves: readonly number[];
  /** The faults that are switched off. */
  readonly without: readonly Fault[];
}

export interface ShrinkOptions {
  /** Whether a history still fails in the same way. */
  readonly fails: (told: Told) => Promise<boolean>;
  /** How often a history may run. Default: 600. */
  readonly budget?: number;
}

/** @returns A history that fails, and of which nothing can be left out (within the budget). */
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
