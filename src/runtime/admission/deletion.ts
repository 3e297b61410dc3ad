/** News that no webhook brought: a read, a write or a sweep was told that a resource is gone. */
import type { Arrival } from "../../engine/lane/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { ResourceRef } from "../../model/observation.ts";
import type { AddressBook, Contact, Services } from "../services/index.ts";
import { admitArrivals } from "./admit-batch.ts";

/** The deletion of a resource, as far as its lane is known. */
export function goneArrival(
  lane: Pick<Lane, "resourceType" | "externalId" | "clock" | "parent">,
  now: Instant,
): Arrival {
  return {
    observation: {
      type: lane.resourceType,
      externalId: lane.externalId ?? "",
      action: "delete",
      updatedAt: lane.clock?.at ?? now,
      content: null,
      display: {},
      parent: lane.parent,
      token: null,
      author: null,
    },
    source: "reread",
    deliveryId: null,
    verifiedAt: null,
  };
}

/**
 * Of a create it is not the resource that is gone, for there is none yet, but its parent: that is
 * admitted, and the event looks again and finds its parent ended.
 */
export async function noteParentGone(
  services: Services,
  contact: Contact,
  book: AddressBook,
  parent: ResourceRef | null,
  { code, message, hint, status, requestId }: IntegrationError,
): Promise<IntegrationError> {
  const told = { code, message, hint, status, requestId, applied: "no" } as const;
  if (parent === null) return new IntegrationError({ ...told, kind: "permanent" });
  await services.store.transaction(async (tx) => {
    const { type: resourceType, externalId } = parent;
    const arrival = goneArrival({ resourceType, externalId, clock: null, parent: null }, tx.now);
    await admitArrivals(tx, [{ contact, arrival }], book, services);
  });
  return new IntegrationError({ ...told, kind: "retryable" });
}
