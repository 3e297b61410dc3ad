/** Webhooks that the provider could not deliver, as its own log of deliveries tells. */
import type { Instant } from "./instant.ts";

/** One attempt of the provider to deliver a webhook. */
export interface DeliveryAttempt {
  readonly attemptId: string;
  /** The delivery's own id: the same at every attempt. */
  readonly deliveryKey: string;
  readonly event: string;
  /** By the provider's clock. */
  readonly at: Instant;
  /** What the receiver answered; the provider's own code where nobody did. */
  readonly status: number;
  readonly succeeded: boolean;
}

/** A webhook that failed and has not come since. */
export interface MissedDelivery {
  readonly deliveryKey: string;
  /** The newest attempt that is known; it is what the provider repeats. */
  readonly attemptId: string;
  readonly event: string;
  readonly status: number;
  /** When the first attempt that we know of failed, by the provider's clock. */
  readonly failedAt: Instant;
  /** How often it was asked for again. */
  readonly asks: number;
  /** When it may be asked for again. */
  readonly runAt: Instant;
  /** `given_up`: it is asked for no more; polls and sweeps bring what it said. */
  readonly state: "waiting" | "given_up";
}

/** How far a provider's log of deliveries was read. */
export interface LogPosition {
  /** When the last reading that is through began, by the provider's clock. */
  readonly seenTo: Instant;
  /** A reading, newest first, that is not through: where it goes on, and when it began. */
  readonly walk: { readonly cursor: string; readonly begunAt: Instant } | null;
}
