/** Failpoints that no store sees: where a request leaves, and where its answer is looked at. */
import type { Claimed, Failpoint, Services } from "../services/index.ts";

export function reachClaimed(
  services: Services,
  claimed: Claimed,
  point: Failpoint,
): Promise<void> {
  const { lane, direction, action, claim } = claimed;
  const { event, worker } = claim;
  return services.failpoints.reach(point, { lane, event, direction, action, worker });
}
