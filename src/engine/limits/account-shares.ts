/**
 * Who may have how many of a worker's places. An account whose API is slow holds each place for long: by
 * who waits longest alone it would soon hold all of them.
 */
import type { AccountId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";

export interface Places {
  readonly total: number;
  /** Those that are taken, by account. */
  readonly held: ReadonlyMap<AccountId, number>;
}

/** Counts what is held, by account; what belongs to none is nobody's share. */
export function countHeld(
  held: Iterable<{ readonly account: AccountId | null }>,
): ReadonlyMap<AccountId, number> {
  const counts = new Map<AccountId, number>();
  for (const { account } of held) {
    if (account !== null) counts.set(account, (counts.get(account) ?? 0) + 1);
  }
  return counts;
}

/** An event that is worked on: whose it is, and since when. */
export interface InFlight {
  readonly account: AccountId | null;
  readonly since: Instant;
  /** Its API has answered: what is left of it is the database's. */
  readonly answered: boolean;
}

export function awaitingAnswer(inFlight: Iterable<InFlight>): readonly InFlight[] {
  return [...inFlight].filter(({ answered }) => !answered);
}

/** Whoever holds a place for longer waits for an API, and takes nothing of the machine meanwhile. */
const SLOW_MILLIS = 1_000;

/**
 * How many places are free. Those whose API has answered take none while that is taken in, up to as many
 * as there are places: the next requests leave meanwhile, and a database that is slow is not outrun.
 *
 * Those that accounts hold for long are lent to others, up to half as many as there are: a slow account
 * costs them no place. It gets none of these itself, for it has its share.
 *
 * @param isShared Whether there are several accounts: a single one keeps to what it was given.
 */
export function freePlaces(
  total: number,
  inFlight: Iterable<InFlight>,
  isShared: boolean,
  now: Instant,
): number {
  const all = [...inFlight];
  const waiting = awaitingAnswer(all);
  const held = waiting.length + Math.max(0, all.length - waiting.length - total);
  const isSlow = ({ account, since }: InFlight) =>
    account !== null && addMillis(since, SLOW_MILLIS) <= now;
  const lent = isShared ? Math.min(waiting.filter(isSlow).length, Math.floor(total / 2)) : 0;
  return Math.max(0, total + lent - held);
}

/** Fewer than one place of so many are not worth a claim, where more are about to be free. */
const FEW_OF = 4;

/**
 * Whether to claim for the places that are free. A claim costs about the same for one event as for many;
 * while answers are taken in there will be more places in a moment, and else nobody knows when.
 */
export function isWorthClaiming(
  free: number,
  total: number,
  inFlight: Iterable<InFlight>,
): boolean {
  const isTakingIn = [...inFlight].some(({ answered }) => answered);
  return isTakingIn ? free >= total / FEW_OF : free > 0;
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
