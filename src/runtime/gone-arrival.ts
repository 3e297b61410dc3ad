/** News that no webhook brought: a read, a write or a sweep was told that a resource is gone. */
import type { Arrival } from "../engine/admit.ts";
import type { Instant } from "../model/instant.ts";
import type { Lane } from "../model/lane.ts";

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
