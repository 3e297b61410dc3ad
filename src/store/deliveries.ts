/** Webhook deliveries: stored before they are answered, translated after. */
import type { EventError } from "../model/event.ts";
import type { AccountId, DeliveryId, LaneId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";

export interface PendingDeliveries {
  /** Which of these keys are stored, as `DeliveryStore.received`. */
  received(integration: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Stores deliveries that are not stored yet. If one was stored meanwhile, the transaction fails and is run
   * again. Statements sent behind it, without waiting, may be undone without undoing the deliveries.
   */
  add(deliveries: readonly TakenDelivery[]): Promise<void>;
  /**
   * Locks deliveries that are to be translated, oldest first.
   *
   * @param bytes After so many bytes of payloads no more are read: they would not fit the memory together.
   */
  lock(limit: number, bytes?: number): Promise<readonly WebhookDelivery[]>;
  translated(
    deliveries: readonly { readonly id: DeliveryId; readonly action: string | null }[],
  ): Promise<void>;
  irrelevant(id: DeliveryId, action: string | null, reason: string): Promise<void>;
  failed(id: DeliveryId, error: EventError, runAt: Instant): Promise<void>;
  /** Events of a delivery that are errored; a redelivery restarts them. */
  erroredLanes(id: DeliveryId): Promise<readonly LaneId[]>;
}

/** A delivery as it is stored. */
export interface WebhookDelivery {
  readonly id: DeliveryId;
  readonly integration: string;
  readonly deliveryKey: string;
  readonly event: string;
  readonly payload: string;
  readonly attempts: number;
  /** The accounts whose secret signed it; `null`: stored by code that did not keep them. */
  readonly verifiedBy: readonly AccountId[] | null;
}

/** A delivery that is stored with what has become of it already. */
export interface TakenDelivery extends Omit<WebhookDelivery, "attempts"> {
  /** `received`: it is still to be translated. */
  readonly state: "received" | "translated" | "irrelevant";
  readonly action: string | null;
  /** Why a delivery is irrelevant. */
  readonly reason: string | null;
}

export interface DeliveryStore {
  /** Stores deliveries durably; one seen before counts up, and is answered as it was stored then. */
  receive(
    deliveries: readonly Omit<WebhookDelivery, "attempts">[],
  ): Promise<readonly ReceivedDelivery[]>;
  /** Which of these keys are stored, whatever became of them. */
  received(integration: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
  counts(): Promise<Readonly<Record<"received" | "translated" | "irrelevant" | "failed", number>>>;
  /** Only what is still to be translated: it costs the same however many are kept. */
  waiting(): Promise<Readonly<Record<"received" | "failed", number>>>;
}

/** The outcome of a delivery that was received. */
export interface ReceivedDelivery extends Pick<WebhookDelivery, "id" | "verifiedBy"> {
  readonly seenBefore: boolean;
}
