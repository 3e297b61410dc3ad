/**
 * Which side changed a field later, if a policy asks for it. Times of two clocks are compared only here: our time
 * is converted to the provider's clock and cut to its resolution.
 */
import {
  addMillis,
  type Instant,
  instantFromMicros,
  truncateInstant,
} from "../../model/instant.ts";
import { REMEMBER_MS } from "../lane/index.ts";

export interface Times {
  readonly resourceAt: Instant | null;
  /** When the app last changed each field of the record. */
  readonly recordChangedAt: Readonly<Record<string, Instant>>;
  /** The provider's clock minus ours, and below it the resolution of its times; both in microseconds. */
  readonly clockOffset: number;
  readonly resolution: number;
}

/** The side with the later change. The resource wins a tie, and wins if the time of the record's change is unknown. */
export function laterSide(field: string, times: Times): "record" | "resource" {
  return isLater(times.recordChangedAt[field], times) ? "record" : "resource";
}

export function isLater(changedAt: Instant | undefined, times: Times): boolean {
  if (changedAt === undefined || times.resourceAt === null) return false;
  return onTheirClock(changedAt, times) > times.resourceAt;
}

/**
 * Whether the record's value may be an edit that nobody at the resource saw: the app set it, it was not sent since,
 * and the resource changed so soon after that its edit may be the earlier one. The resource's time does not tell,
 * because a new comment advances it too. An edit older than `REMEMBER_MS` was seen by then.
 */
export function isUnsaid(field: string, times: Times, leftAt: Instant | undefined): boolean {
  const changedAt = times.recordChangedAt[field];
  if (changedAt === undefined || times.resourceAt === null) return false;
  if (leftAt !== undefined && leftAt >= changedAt) return false;
  return addMillis(onTheirClock(changedAt, times), REMEMBER_MS) >= times.resourceAt;
}

function onTheirClock(at: Instant, { clockOffset, resolution }: Times): Instant {
  return truncateInstant(instantFromMicros(at + clockOffset), resolution);
}
