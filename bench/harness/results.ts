/** Combines the rounds of a run to one result per row. */
import type { Outcome, Row } from "./bench.ts";
import { ratioOf } from "./rounds.ts";

/** A line of the report, as `--json` prints it. */
export interface Result {
  readonly id: number;
  readonly name: string;
  /** The median of the rounds; `null` if none has it. */
  readonly ratio: number | null;
  readonly goal: number;
  /** `null` if the row did not run. */
  readonly met: boolean | null;
  /** The least and the greatest of the rounds. */
  readonly spread: readonly number[];
  readonly skipped?: true;
  /** Why it was skipped, if not because of its length. */
  readonly why?: string;
}

/** The outcomes of one round, by their entries' names. */
export type Round = ReadonlyMap<string, Outcome>;

export function resultOf(row: Row, rounds: readonly Round[]): Result {
  const { id, name, of, to, goal, goalIs } = row;
  const why = rounds
    .flatMap((outcomes) =>
      [of, ...(to === null ? [] : [to])].map(({ entry }) => outcomes.get(entry.name)),
    )
    .find((outcome) => outcome?.skipped !== undefined)?.skipped;
  if (why !== undefined) return { ...skippedResult(row), why };
  const pairs = rounds
    .slice(0, row.rounds)
    .map((outcomes): readonly [number, number] => [
      outcomes.get(of.entry.name)?.figures[of.figure] ?? NaN,
      to === null ? 1 : (outcomes.get(to.entry.name)?.figures[to.figure] ?? NaN),
    ])
    .filter(([one, other]) => Number.isFinite(one / other));
  if (pairs.length === 0) return { id, name, ratio: null, goal, met: false, spread: [] };
  const { ratio, least, most } = ratioOf(pairs);
  const met = goalIs === "least" ? ratio >= goal : ratio <= goal;
  return { id, name, ratio, goal, met, spread: [least, most] };
}

/** A row that does not run: it takes too long for this run, or a program is missing. */
export function skippedResult({ id, name, goal }: Row): Result {
  return { id, name, ratio: null, goal, met: null, spread: [], skipped: true };
}

/** Row 0: the number of wrong results, which must be 0. */
export function gateResult(faults: readonly string[]): Result {
  const ratio = faults.length;
  return {
    ...{ id: 0, name: "overlaps, inversions, edits without outcome, rows that are wrong" },
    ...{ ratio, goal: 0, met: ratio === 0, spread: [ratio, ratio] },
  };
}

/** Describes a result in one line. */
export function describeResult(result: Result): string {
  const { id, name, ratio, goal, met, spread, skipped, why } = result;
  const start = `${String(id).padStart(2)}  ${name}:`;
  if (skipped === true) return why === undefined ? `${start} skipped` : `${start} skipped: ${why}`;
  if (ratio === null) return `${start} no figures, goal ${String(goal)}, not met`;
  const range = spread.map((one) => one.toFixed(2)).join(" to ");
  return `${start} ${ratio.toFixed(2)} (${range}), goal ${String(goal)}, ${met === true ? "met" : "not met"}`;
}
