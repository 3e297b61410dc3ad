/** Stale reads: a provider's reads may lag behind, so one that is older than the known content is retried. */
import type { Context } from "../../engine/lane/index.ts";
import { mayLag } from "../../engine/merge/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Clock } from "../../model/clock.ts";
import { formatInstant, instantFromMicros } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import type { ReadStart } from "../services/index.ts";

/**
 * Notes that a read begins now. This process's clock measures how long ago that was, because the database's clock,
 * whose times a lane holds, may differ.
 */
export function startRead(clock: Clock): ReadStart {
  const from = clock.now();
  return (now) => instantFromMicros(now - (clock.now() - from));
}

/**
 * Refuses a read that may be stale.
 *
 * @param from When the read began.
 * @param applied Whether our own write took effect, which the stale read does not tell; `no` if there is no write.
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
    message: `the read shows the resource of ${formatInstant(seen.updatedAt)}, but ${formatInstant(clock.at)} is known`,
    hint: "Reads can lag behind writes; Tandem reads again after a pause.",
    applied,
  });
}
