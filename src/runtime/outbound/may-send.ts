/** Whether a request that writes may leave: only while its worker still has the claim. */
import type { OutboundRequest } from "../../engine/processing/index.ts";
import { forgetLate, hold } from "../claims/index.ts";
import type { Claimed, Services } from "../services/index.ts";

/**
 * Asked right before each create, edit, closing and deletion. `false`: the claim is lost, and whoever has
 * it now does what is left to do.
 *
 * A create asks the database each time, for what it makes twice is there twice. What changes or removes
 * something asks only where the lease may have run out since the claim: a worker that stood still sees
 * that by its own clock, and a burst of edits costs no statement more.
 */
export async function mayLeave(
  { clock, store }: Services,
  claimed: Claimed,
  kind: OutboundRequest["kind"],
): Promise<boolean> {
  if (kind !== "create" && clock.now() < claimed.ownUntil) return true;
  return store.transaction(async (tx) => {
    const isHeld = (await hold(tx, claimed)) !== null;
    if (!isHeld) await forgetLate(tx, claimed);
    return isHeld;
  });
}
