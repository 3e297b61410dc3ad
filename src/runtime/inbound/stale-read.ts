/** Reads lag behind writes: one that is older than what the lane has just heard is refused and tried again. */
import type { Context } from "../../engine/lane/index.ts";
import { mayLag } from "../../engine/merge/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Clock } from "../../model/clock.ts";
import { formatInstant, instantFromMicros } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import type { ReadStart } from "../services/index.ts";

/**
 * A read begins now. How long ago that was is measured by this process's clock; the database, whose times a lane
 * holds, may have another.
 */
export function startRead(clock: Clock): ReadStart {
  const from = clock.now();
  return (now) => instantFromMicros(now - (clock.now() - from));
}

/**
 * @param from When the read began.
 * @param applied What is known of our own write while the read is no help: `no` where there is none.
 * @throws IntegrationError `stale_read`, retryable.
 */
export function refuseStale(
  lane: Lane,
  seen: Observation,
  applied: IntegrationError["applied"],
  from: ReadStart,
  context: Context,
): void {
  const { clock } = lane;
  if (clock === null || !mayLag(lane, seen.updatedAt, from(context.now), context)) return;
  throw new IntegrationError({
    kind: "retryable",
    code: "stale_read",
    message: `the read is of ${formatInstant(seen.updatedAt)}, and ${formatInstant(clock.at)} is known`,
    hint: "Reads can lag behind writes; it is tried again by itself.",
    applied,
  });
}
