/** Webhooks that the provider could not deliver, according to its own log of deliveries. */
import type { Instant } from "./instant.ts";

/** One attempt of the provider to deliver a webhook. */
export interface DeliveryAttempt {
  readonly attemptId: string;
  /** The delivery's own id: the same at every attempt. */
  readonly deliveryKey: string;
  readonly event: string;
  /** By the provider's clock. */
  readonly at: Instant;
  /** The receiver's HTTP status; the provider's own code if there was no answer. */
  readonly status: number;
  readonly succeeded: boolean;
}

/** A webhook that failed and has not arrived since. */
export interface MissedDelivery {
  readonly deliveryKey: string;
  /** The newest known attempt, which is the one that the provider repeats. */
  readonly attemptId: string;
  readonly event: string;
  readonly status: number;
  /** When the first known attempt failed, by the provider's clock. */
  readonly failedAt: Instant;
  /** How often Tandem requested a redelivery. */
  readonly asks: number;
  /** When Tandem may request the next redelivery. */
  readonly runAt: Instant;
  /** `given_up`: no redelivery is requested any more; polls and sweeps find its content. */
  readonly state: "waiting" | "given_up";
}

/** How far a provider's log of deliveries was read. */
export interface LogPosition {
  /** When the last complete reading began, by the provider's clock. */
  readonly seenTo: Instant;
  /** An incomplete reading, newest first: the cursor at which it continues, and when it began. */
  readonly walk: { readonly cursor: string; readonly begunAt: Instant } | null;
}
