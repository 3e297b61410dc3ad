/** Failpoints that no store sees: where a request leaves, and where its answer is looked at. */
import type { Claimed } from "../services/claimed.ts";
import type { Failpoint } from "../services/failpoints.ts";
import type { Services } from "../services/services.ts";

export function reachClaimed(
  services: Services,
  claimed: Claimed,
  point: Failpoint,
): Promise<void> {
  const { lane, direction, action, claim } = claimed;
  const { event, worker } = claim;
  return services.failpoints.reach(point, { lane, event, direction, action, worker });
}
