/**
 * How many of a worker's slots each account may hold. An account with a slow API holds each slot for long, so
 * serving the longest wait first would soon give it all of them.
 */
import type { AccountId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";

export interface Slots {
  readonly total: number;
  /** The number of slots in use, by account. */
  readonly held: ReadonlyMap<AccountId, number>;
}

/** Counts events in flight by account. An event without an account counts for none. */
export function countHeld(
  held: Iterable<{ readonly account: AccountId | null }>,
): ReadonlyMap<AccountId, number> {
  const counts = new Map<AccountId, number>();
  for (const { account } of held) {
    if (account !== null) counts.set(account, (counts.get(account) ?? 0) + 1);
  }
  return counts;
}

/** An event that a worker is processing, with its account and the time of its claim. */
export interface InFlight {
  readonly account: AccountId | null;
  readonly since: Instant;
  /** The API has answered: only database work is left. */
  readonly answered: boolean;
}

export function awaitingAnswer(inFlight: Iterable<InFlight>): readonly InFlight[] {
  return [...inFlight].filter(({ answered }) => !answered);
}

/** An event in flight for longer waits for an API, and uses no CPU meanwhile. */
const SLOW_MILLIS = 1_000;

/**
 * The number of free slots. An event whose API has answered takes no slot while its answer is merged, so that
 * the next requests can be sent meanwhile. At most `total` events are exempt, so that a slow database is not
 * overloaded.
 *
 * Slots that an account holds for long are lent to other accounts, up to half of the total, so that a slow account
 * costs the others no slot. The slow account gets none of these, because it holds its share.
 *
 * @param isShared Whether there are several accounts. With one account, no slot is lent.
 */
export function freeSlots(
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

/** While more slots are about to be free, fewer free slots than this part of the total are not worth a claim. */
const FEW_OF = 4;

/**
 * Whether to claim events for the free slots. A claim costs about the same for one event as for many. While
 * answers are being merged, more slots will be free in a moment; otherwise the time is unknown.
 */
export function isWorthClaiming(
  free: number,
  total: number,
  inFlight: Iterable<InFlight>,
): boolean {
  const isTakingIn = [...inFlight].some(({ answered }) => answered);
  return isTakingIn ? free >= total / FEW_OF : free > 0;
}

/** One of this number of slots is kept free for an account that comes next. */
const ONE_KEPT_OF = 8;

/**
 * How many slots an account may hold. First its equal part, counted with one account more than are at work, because
 * another may come. Then, if no other account waits, all but a few.
 */
export function fairShare({ total, held }: Slots): readonly [part: number, most: number] {
  const atWork = [...held.values()].filter((count) => count > 0).length;
  const most = Math.max(1, total - Math.ceil(total / ONE_KEPT_OF));
  return [Math.min(most, Math.ceil(total / (Math.max(1, atWork) + 1))), most];
}
