/** The input of every decision besides the lane: the mapping and limits in force, the time, and fresh ids. */
import type { Actor } from "../../model/content.ts";
import type { Reason } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import { type Instant, instantFromMicros } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";

export interface Context {
  readonly mapping: Mapping;
  readonly now: Instant;
  /** Returns a fresh id at each call. A decision has no other source of randomness. */
  readonly newId: () => EventId;
  /** Why a direction is switched off; `null` if it is on. */
  readonly switchedOff: { readonly inbound: Reason | null; readonly outbound: Reason | null };
  /** The actor as which our account acts at the integration; `null` until the integration was asked. */
  readonly identity: Actor | null;
  /** The provider's clock minus ours, in microseconds. */
  readonly clockOffset: number;
  /** How many changes of a field put its pairing under quarantine; `null`: none do. */
  readonly quarantine: QuarantineLimits | null;
  /** The least time between two writes of a record to its resource, in milliseconds. */
  readonly writePause: number;
  /** How long the response to our own request replaces a read before the next write, in milliseconds. */
  readonly readFreshness: number;
}

/** Converts a time of the provider to our clock. */
export function ownTime(at: Instant, clockOffset: number): Instant {
  return instantFromMicros(at - clockOffset);
}

/** How many changes of a field, and how fast, put its pairing under quarantine. */
export interface QuarantineLimits {
  /** How often a field may return to an earlier value ... */
  readonly flips: number;
  /** ... within this number of milliseconds. */
  readonly withinMillis: number;
}
