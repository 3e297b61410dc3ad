/**
 * Which webhooks the provider is asked to deliver again.
 *
 * 1. What arrived is never asked for: by a later attempt, or by an answer of ours that was lost.
 * 2. Each is asked for a bounded number of times, after pauses that grow: within ten minutes, an
 *    hour, six hours, then half a day. What is given up is not lost: polls and sweeps bring it.
 * 3. What is due for longest goes first, and no more in one round than the round may ask for.
 */
import { addMillis, type Instant, MILLISECOND } from "../../model/instant.ts";
import type { DeliveryAttempt, LogPosition, MissedDelivery } from "../../model/missed-delivery.ts";

/** How often one webhook is asked for. */
export const MOST_ASKS = 5;
const FIRST_PAUSE_MS = 10 * 60_000;
const GROWTH = 6;
const LONGEST_PAUSE_MS = 12 * 3_600_000;
/** GitHub repeats no delivery that is older. */
const REPEATABLE_MS = 3 * 24 * 3_600_000;
/** An attempt is listed when it has ended, a while after it began; and clocks differ. */
const OVERLAP_MS = 2 * 60_000;

/** What a reading of the log changes of what is missed. */
export interface Reading {
  /** New or changed. */
  readonly missed: readonly MissedDelivery[];
  /** Keys that were missed and have arrived. */
  readonly arrived: readonly string[];
}

/** From where on attempts are to be looked at. */
export function readsFrom({ seenTo }: LogPosition): Instant {
  return addMillis(seenTo, -OVERLAP_MS);
}

/**
 * Takes in what the log shows.
 *
 * @param known what was missed before
 * @param received keys of deliveries that the ledger holds, whatever the provider believes
 */
export function takeAttempts(
  known: readonly MissedDelivery[],
  attempts: readonly DeliveryAttempt[],
  received: ReadonlySet<string>,
  now: Instant,
): Reading {
  const before = new Map(known.map((missed) => [missed.deliveryKey, missed]));
  const after = new Map(before);
  const hasArrived = new Set([
    ...received,
    ...attempts.filter(({ succeeded }) => succeeded).map(({ deliveryKey }) => deliveryKey),
  ]);
  for (const attempt of [...attempts].sort((a, b) => a.at - b.at)) {
    if (hasArrived.has(attempt.deliveryKey)) continue;
    after.set(attempt.deliveryKey, missedBy(attempt, after.get(attempt.deliveryKey), now));
  }
  return {
    missed: [...after.values()].filter(
      (missed) => !hasArrived.has(missed.deliveryKey) && before.get(missed.deliveryKey) !== missed,
    ),
    arrived: [...before.keys()].filter((key) => hasArrived.has(key)),
  };
}

function missedBy(
  { attemptId, deliveryKey, event, at, status }: DeliveryAttempt,
  known: MissedDelivery | undefined,
  now: Instant,
): MissedDelivery {
  if (known === undefined) {
    // Due since it failed, so that the oldest goes first though a log is read from its end.
    const fresh = { asks: 0, runAt: at <= now ? at : now, state: "waiting" } as const;
    return { deliveryKey, attemptId, event, status, failedAt: at, ...fresh };
  }
  // A reading overlaps the one before it.
  return known.attemptId === attemptId || at <= known.failedAt
    ? known
    : { ...known, attemptId, status };
}

export interface Choice {
  readonly ask: readonly MissedDelivery[];
  readonly giveUp: readonly MissedDelivery[];
  /** Keys of those that have come after all. */
  readonly arrived: readonly string[];
  /** Due, and to be asked for another time. */
  readonly left: number;
}

/**
 * Which to ask for now, and which never again.
 *
 * @param due what may be asked for by now, in the order in which it became due
 * @param received keys of deliveries that the ledger holds, whatever the provider believes
 */
export function chooseRedeliveries(
  due: readonly MissedDelivery[],
  received: ReadonlySet<string>,
  now: Instant,
  most: number,
): Choice {
  const missing = due.filter(({ deliveryKey }) => !received.has(deliveryKey));
  const isOver = ({ asks, failedAt }: MissedDelivery): boolean =>
    asks >= MOST_ASKS || now - failedAt > REPEATABLE_MS * MILLISECOND;
  const waiting = missing.filter((each) => !isOver(each));
  return {
    ask: waiting.slice(0, most),
    giveUp: missing.filter(isOver).map((each) => ({ ...each, state: "given_up" })),
    arrived: due.map(({ deliveryKey }) => deliveryKey).filter((key) => received.has(key)),
    left: Math.max(0, waiting.length - most),
  };
}

/** A webhook once it is asked for; noted before the request leaves, so that a crash asks no more. */
export function noteAsk(missed: MissedDelivery, now: Instant): MissedDelivery {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * GROWTH ** missed.asks);
  return { ...missed, asks: missed.asks + 1, runAt: addMillis(now, pause) };
}
