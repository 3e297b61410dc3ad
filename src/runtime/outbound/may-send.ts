/** Whether a write may be sent: only while its worker still has the claim. */
import type { OutboundRequest } from "../../engine/processing/index.ts";
import { forgetLate, lockClaimed } from "../claims/index.ts";
import type { Claimed, Services } from "../services/index.ts";

/**
 * Checks the claim right before each create, edit, closing and deletion. `false`: the claim is lost, and the worker
 * that has it now continues the event.
 *
 * A create asks the database each time, because a second create makes a second resource. A change or removal asks
 * only if the lease may have expired since the claim. A worker that stood still sees that by its own clock, and a
 * burst of edits costs no further statement.
 */
export async function maySend(
  { clock, store }: Services,
  claimed: Claimed,
  kind: OutboundRequest["kind"],
): Promise<boolean> {
  if (kind !== "create" && clock.now() < claimed.ownUntil) return true;
  return store.transaction(async (tx) => {
    const isHeld = (await lockClaimed(tx, claimed)) !== null;
    if (!isHeld) await forgetLate(tx, claimed);
    return isHeld;
  });
}
