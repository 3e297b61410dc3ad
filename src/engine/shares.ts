/**
 * Who may have how many of a worker's places. An account whose API is slow holds each place for long: by
 * who waits longest alone it would soon hold all of them.
 */
import type { AccountId } from "../model/ids.ts";

export interface Places {
  readonly total: number;
  /** Those that are taken, by account. */
  readonly held: ReadonlyMap<AccountId, number>;
}

/** Counts what is held, by account; what belongs to none is nobody's share. */
export function countHeld(accounts: Iterable<AccountId | null>): ReadonlyMap<AccountId, number> {
  const counts = new Map<AccountId, number>();
  for (const account of accounts) {
    if (account !== null) counts.set(account, (counts.get(account) ?? 0) + 1);
  }
  return counts;
}

/** Of so many places one is kept free for whoever comes. */
const ONE_KEPT_OF = 8;

/**
 * How many places an account may hold, in turn: first each its part, of which there is one more than
 * accounts at work, for somebody may come; then, of what nobody else waits for, all but a few.
 */
export function shares({ total, held }: Places): readonly [part: number, most: number] {
  const atWork = [...held.values()].filter((count) => count > 0).length;
  const most = Math.max(1, total - Math.ceil(total / ONE_KEPT_OF));
  return [Math.min(most, Math.ceil(total / (Math.max(1, atWork) + 1))), most];
}
