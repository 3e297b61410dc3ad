/** What a stored delivery says, read without asking anybody: nothing here writes. */
import type { ResourceMove } from "../model/observation.ts";
import type { Delivery } from "../store/store.ts";
import type { AddressBook } from "./address-book.ts";
import type { Incoming } from "./admit-arrivals.ts";
import { type ContainerNews, followersOf, isUnknown } from "./follow-containers.ts";
import type { Services } from "./services.ts";

export type Reading =
  /** It cannot be read as it is: a `TranslationError`, or a fault of ours. */
  | { readonly kind: "failed"; readonly thrown: unknown }
  /** It concerns nobody. */
  | { readonly kind: "irrelevant"; readonly action: string | null; readonly reason: string }
  /** It tells of resources: their arrivals are to be admitted. */
  | {
      readonly kind: "arrivals";
      readonly action: string | null;
      readonly incoming: readonly Incoming[];
    }
  /** It tells of a resource's move, which its lane follows. */
  | { readonly kind: "moved"; readonly action: string | null; readonly move: ResourceMove }
  /** It tells of containers, which connections follow. */
  | {
      readonly kind: "containers";
      readonly action: string | null;
      readonly containers: readonly ContainerNews[];
    };

export type Readable = Pick<Delivery, "id" | "integration" | "deliveryKey" | "event" | "payload">;

export function readDelivery(delivery: Readable, book: AddressBook, services: Services): Reading {
  const { integration: name } = delivery;
  try {
    const integration = services.integrations.get(name);
    if (integration === undefined) throw new Error(`no integration "${name}"`);
    const translation = integration.translate(delivery);
    switch (translation.kind) {
      case "irrelevant":
      case "moved":
        return translation;
      case "container": {
        const { action } = translation;
        const containers = translation.changes.map((change) => ({ integration: name, change }));
        if (containers.some((item) => followersOf(item, book, services).length > 0)) {
          return { kind: "containers", action, containers };
        }
        const isStrange = containers.some((item) => isUnknown(item, book));
        const reason = isStrange ? "unknown_container" : "nothing_to_follow";
        return { kind: "irrelevant", action, reason };
      }
      case "observations": {
        const { action, observations } = translation;
        const incoming = observations.flatMap(({ containerId, observation }) =>
          book.ofContainer(name, containerId).map((contact): Incoming => ({
            contact,
            arrival: { observation, source: "webhook", deliveryId: delivery.id, verifiedAt: null },
          })),
        );
        return incoming.length === 0
          ? { kind: "irrelevant", action, reason: "unknown_container" }
          : { kind: "arrivals", action, incoming };
      }
    }
  } catch (thrown) {
    return { kind: "failed", thrown };
  }
}
