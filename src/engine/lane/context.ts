/** What every decision is told besides the lane: the rules in force, the time, and fresh ids. */
import type { Actor } from "../../model/content.ts";
import type { Reason } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import { type Instant, instantFromMicros } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";

export interface Context {
  readonly mapping: Mapping;
  readonly now: Instant;
  /** Gives a fresh id at each call; the only source of randomness a decision has. */
  readonly newId: () => EventId;
  /** Why a direction is switched off, or `null` where it is on. */
  readonly switchedOff: { readonly inbound: Reason | null; readonly outbound: Reason | null };
  /** Who we are at the integration; `null` until it was asked. */
  readonly identity: Actor | null;
  /** Provider's clock minus ours, in microseconds. */
  readonly clockOffset: number;
  /** When two systems count as fighting over a field; `null`: never. */
  readonly quarantine: QuarantineLimits | null;
  /** The least time between two writes of a record to its resource, in milliseconds. */
  readonly writePause: number;
  /** How long what our own request's answer has shown is as good as a read, in milliseconds. */
  readonly readFreshness: number;
}

/** A time of the provider's on our clock. */
export function ownTime(at: Instant, clockOffset: number): Instant {
  return instantFromMicros(at - clockOffset);
}

/** When two systems count as fighting over a field. */
export interface QuarantineLimits {
  /** How often a field may flip ... */
  readonly flips: number;
  /** ... within so many milliseconds. */
  readonly withinMillis: number;
}
