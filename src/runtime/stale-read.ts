/** Reads lag behind writes: one that is older than what the lane knows is refused and tried again. */
import { IntegrationError } from "../integrations/integration.ts";
import { formatInstant } from "../model/instant.ts";
import type { Lane } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";

/**
 * @param applied What is known of our own write while the read is no help: `no` where there is none.
 * @throws IntegrationError `stale_read`, retryable.
 */
export function refuseStale(
  { clock }: Lane,
  seen: Observation,
  applied: IntegrationError["applied"],
): void {
  if (clock === null || seen.updatedAt >= clock.at) return;
  throw new IntegrationError({
    kind: "retryable",
    code: "stale_read",
    message: `the read is of ${formatInstant(seen.updatedAt)}, and ${formatInstant(clock.at)} is known`,
    hint: "Reads can lag behind writes; it is tried again by itself.",
    applied,
  });
}
