/** Deletions that no webhook reported: the provider answered a read, a write or a sweep that a resource is deleted. */
import type { Arrival } from "../../engine/lane/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { ResourceRef } from "../../model/observation.ts";
import type { DirectorySnapshot, Contact, Services } from "../services/index.ts";
import { admitArrivals } from "./admit-batch.ts";

/** The arrival of a resource's deletion, built from what its lane knows. */
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
 * Admits the deletion of a create's parent. The answer "gone" to a create concerns the parent, because the resource
 * does not exist yet. The create's event is retried and finds its parent ended.
 */
export async function noteParentGone(
  services: Services,
  contact: Contact,
  book: DirectorySnapshot,
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
