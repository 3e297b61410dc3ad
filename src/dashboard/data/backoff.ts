/** The delay before the stream reconnects. Pure. */

/** Milliseconds before attempt `attempt` (the first is 1): doubling from 1 s to 30 s, with jitter. */
export function reconnectDelay(attempt: number, random: number): number {
  const ceiling = Math.min(30_000, 1_000 * 2 ** (attempt - 1));
  return Math.round(ceiling * (0.5 + random / 2));
}
