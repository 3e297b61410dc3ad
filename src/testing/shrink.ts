/**
 * Shrinks a failing history: delta debugging over its parts. It leaves out first halves, then quarters, and
 * finally single parts, as long as the rest fails in the same way.
 */
export interface LeaveOutOptions<Part> {
  /** Whether a history of only these parts still fails in the same way. */
  readonly fails: (parts: readonly Part[]) => Promise<boolean>;
  /** How often a history may be run. Default: 600. */
  readonly budget?: number;
}

/** @returns Parts that still fail, and of which none can be left out (within the budget). */
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
        // The next parts move up, so continue at the same position.
        if (await fails(fewer)) best = fewer;
        else start += size;
      }
    }
  }
  return best;
}
