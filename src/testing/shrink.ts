/**
 * Shrinks a failing history: delta debugging over its parts. It leaves out first halves, then quarters, and at
 * last single parts, as long as the rest still fails in the same way.
 */
export interface LeaveOutOptions<Part> {
  /** Whether a history of these parts alone still fails in the same way. */
  readonly fails: (parts: readonly Part[]) => Promise<boolean>;
  /** How often a history may be run. Default: 600. */
  readonly budget?: number;
}

/** @returns parts that still fail and of which, within the budget, none can be left out. */
export async function leaveOut<Part>(
  whole: readonly Part[],
  { fails, budget = 600 }: LeaveOutOptions<Part>,
): Promise<readonly Part[]> {
  let best = whole;
  let left = budget;
  for (let before = -1; before !== best.length && left > 0;) {
    before = best.length;
    for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let start = 0; start < best.length && left > 0;) {
        const fewer = [...best.slice(0, start), ...best.slice(start + size)];
        left -= 1;
        // The parts behind move up: the next ones begin at the same place.
        if (await fails(fewer)) best = fewer;
        else start += size;
      }
    }
  }
  return best;
}
