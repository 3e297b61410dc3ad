/**
 * Which webhooks Tandem asks the provider to deliver again.
 *
 * 1. A webhook that arrived is never requested: by a later attempt, or although our answer to it was lost.
 * 2. Each is requested a limited number of times, after growing pauses: ten minutes, an hour, six hours, then half a
 *    day. A webhook that is given up is not lost: polls and sweeps find its content.
 * 3. The longest due is requested first, and each round has a limit.
 */
import { addMillis, type Instant, MILLISECOND } from "../../model/instant.ts";
import type { DeliveryAttempt, LogPosition, MissedDelivery } from "../../model/missed-delivery.ts";

/** How often one webhook is requested at most. */
export const MOST_ASKS = 5;
const FIRST_PAUSE_MS = 10 * 60_000;
const GROWTH = 6;
const LONGEST_PAUSE_MS = 12 * 3_600_000;
/** GitHub does not redeliver a webhook that is older. */
const REPEATABLE_MS = 3 * 24 * 3_600_000;
/** Readings overlap by this much: an attempt is listed only after it has ended, and clocks differ. */
const OVERLAP_MS = 2 * 60_000;

/** The changes that a reading of the provider's log makes to the missed deliveries. */
export interface DeliveryLogReading {
  /** New or changed entries. */
  readonly missed: readonly MissedDelivery[];
  /** Keys that were missed and have arrived. */
  readonly arrived: readonly string[];
}

/** The time from which the next reading looks at attempts. */
export function readsFrom({ seenTo }: LogPosition): Instant {
  return addMillis(seenTo, -OVERLAP_MS);
}

/**
 * Updates the missed deliveries by the attempts that the log shows.
 *
 * @param known The deliveries that were missed before.
 * @param received Keys of deliveries that the ledger holds, even if the provider counts them as failed.
 */
export function takeAttempts(
  known: readonly MissedDelivery[],
  attempts: readonly DeliveryAttempt[],
  received: ReadonlySet<string>,
  now: Instant,
): DeliveryLogReading {
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
    // Due since its failure, so that the oldest is requested first although a log is read newest first.
    const fresh = { asks: 0, runAt: at <= now ? at : now, state: "waiting" } as const;
    return { deliveryKey, attemptId, event, status, failedAt: at, ...fresh };
  }
  // A reading overlaps the one before it and shows attempts that are known already.
  return known.attemptId === attemptId || at <= known.failedAt
    ? known
    : { ...known, attemptId, status };
}

export interface Choice {
  readonly ask: readonly MissedDelivery[];
  readonly giveUp: readonly MissedDelivery[];
  /** Keys of those that have arrived since. */
  readonly arrived: readonly string[];
  /** The number of due ones that exceed this round's limit. */
  readonly left: number;
}

/**
 * Chooses the deliveries to request now, and those to give up.
 *
 * @param due The deliveries that are due, in the order in which they became due.
 * @param received Keys of deliveries that the ledger holds, even if the provider counts them as failed.
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

/** A missed delivery after a request for it. It is saved before the request, so that a crash causes no extra one. */
export function noteAsk(missed: MissedDelivery, now: Instant): MissedDelivery {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * GROWTH ** missed.asks);
  return { ...missed, asks: missed.asks + 1, runAt: addMillis(now, pause) };
}
