/** Combines the figures of several rounds to a ratio. */

export interface Ratio {
  /** The median of the rounds' own ratios. */
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
}

/** The ratios of two figures, each pair from the same round. */
export function ratioOf(rounds: readonly (readonly [of: number, to: number])[]): Ratio {
  const ratios = rounds.map(([of, to]) => of / to).sort((a, b) => a - b);
  return { ratio: median(ratios), least: ratios[0] ?? NaN, most: ratios.at(-1) ?? NaN };
}

export function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}
