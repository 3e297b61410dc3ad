/**
 * Which side spoke later, where a policy asks for it: the one place in which times of two clocks are
 * compared. Ours is put on the provider's clock and cut to its steps.
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
  /** When each field of the record was last changed by the app. */
  readonly recordChangedAt: Readonly<Record<string, Instant>>;
  /** Provider's clock minus ours, and the step of its times; both in microseconds. */
  readonly clockOffset: number;
  readonly resolution: number;
}

/** Ties go to the resource, and so does a change whose time nobody saw. */
export function laterSide(field: string, times: Times): "record" | "resource" {
  return isLater(times.recordChangedAt[field], times) ? "record" : "resource";
}

export function isLater(changedAt: Instant | undefined, times: Times): boolean {
  if (changedAt === undefined || times.resourceAt === null) return false;
  return onTheirClock(changedAt, times) > times.resourceAt;
}

/**
 * The app has said it, it has not left since, and the resource went on so shortly after that, for all its
 * time tells, it may have gone on before: a comment moves the time of what it says. What is older than
 * writes are remembered for has long been heard of.
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
