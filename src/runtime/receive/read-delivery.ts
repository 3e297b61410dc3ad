/** Reading a stored delivery: no request is sent, and nothing is written. */
import type { Translation } from "../../integrations/integration.ts";
import type { ResourceMove } from "../../model/observation.ts";
import type { WebhookDelivery } from "../../store/deliveries.ts";
import type { DirectorySnapshot, Services } from "../services/index.ts";
import type { Incoming } from "../admission/index.ts";
import { type ContainerNews, followersOf, isUnknown } from "./follow-containers.ts";

export type Reading =
  /** The delivery cannot be read: a `TranslationError`, or a bug in Tandem. */
  | { readonly kind: "failed"; readonly thrown: unknown }
  /** The delivery concerns no connection. */
  | { readonly kind: "irrelevant"; readonly action: string | null; readonly reason: string }
  /** The delivery shows resources, whose arrivals must be admitted. */
  | {
      readonly kind: "arrivals";
      readonly action: string | null;
      readonly incoming: readonly Incoming[];
    }
  /** The delivery reports a resource's move, which its lane follows. */
  | { readonly kind: "moved"; readonly action: string | null; readonly move: ResourceMove }
  /** The delivery reports changes of containers, which connections follow. */
  | {
      readonly kind: "containers";
      readonly action: string | null;
      readonly containers: readonly ContainerNews[];
    };

export type Readable = Omit<WebhookDelivery, "attempts">;

/**
 * Reads a delivery. It may concern only connections of the accounts whose secret has signed it: one tenant's secret
 * must not change another tenant's connections (situation 67).
 */
export function readDelivery(
  delivery: Readable,
  book: DirectorySnapshot,
  services: Services,
): Reading {
  try {
    const integration = services.integrations.get(delivery.integration);
    if (integration === undefined) throw new Error(`no integration "${delivery.integration}"`);
    const translation = integration.translate(delivery);
    const verified = bookOfDelivery(delivery, book);
    const reading = readTranslation(translation, delivery, verified, services);
    if (reading.kind !== "irrelevant" || verified === book) return reading;
    const unrestricted = readTranslation(translation, delivery, book, services);
    const isOthers = unrestricted.kind !== "irrelevant";
    return isOthers ? { ...reading, reason: "other_account" } : reading;
  } catch (thrown) {
    return { kind: "failed", thrown };
  }
}

/**
 * The connections that a delivery may concern. A delivery that was stored without its accounts may concern the account
 * if there is only one. With several accounts it concerns none, and polls and sweeps find its content.
 */
export function bookOfDelivery(
  { integration, verifiedBy }: Pick<WebhookDelivery, "integration" | "verifiedBy">,
  book: DirectorySnapshot,
): DirectorySnapshot {
  if (verifiedBy !== null) return book.ofAccounts(verifiedBy);
  const accounts = new Set(
    book.contacts.flatMap(({ account }) => (account.integration === integration ? account.id : [])),
  );
  return book.ofAccounts(accounts.size === 1 ? [...accounts] : []);
}

function readTranslation(
  translation: Translation,
  { id, integration: name }: Readable,
  book: DirectorySnapshot,
  services: Services,
): Reading {
  switch (translation.kind) {
    case "irrelevant":
      return translation;
    case "moved": {
      const { action, move } = translation;
      const isKnown = [move.from, move.to].some(
        ({ containerId }) => book.ofContainer(name, containerId).length > 0,
      );
      return isKnown ? translation : { kind: "irrelevant", action, reason: "unknown_container" };
    }
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
          arrival: { observation, source: "webhook", deliveryId: id, verifiedAt: null },
        })),
      );
      return incoming.length === 0
        ? { kind: "irrelevant", action, reason: "unknown_container" }
        : { kind: "arrivals", action, incoming };
    }
  }
}
