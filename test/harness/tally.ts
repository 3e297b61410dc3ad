/** A long story in short: how often each line is told, whatever their order. */
export function tally(lines: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return Object.fromEntries(counts);
}
