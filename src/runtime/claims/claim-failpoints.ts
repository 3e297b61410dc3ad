/** Failpoints outside of transactions: before a request is sent, and before its answer is handled. */
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
