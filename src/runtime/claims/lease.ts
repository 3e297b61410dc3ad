/** Leases of claimed events: locking their lanes, renewing the lease, and saving decisions. */
import { withoutRefusedLate } from "../../engine/creates/index.ts";
import { type Claim, holdsClaim, move, processing, unchanged } from "../../engine/lane/index.ts";
import type { LaneId } from "../../model/ids.ts";
import { addMillis } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Claimed, ClaimedLane, Services } from "../services/index.ts";
import { saveDecided } from "./save.ts";

/** Locks the lane of a claim; `null` if the claim was lost, so that nothing may be written. */
export async function lockClaimed(
  tx: StoreTransaction,
  claimed: Claimed,
): Promise<ClaimedLane | null> {
  return lockClaimedAmong(tx, claimed, []);
}

/** Locks the lane of a claim and other lanes, in one statement and in the order of their ids. */
export async function lockClaimedAmong(
  tx: StoreTransaction,
  { lane: id, claim: held }: Claimed,
  others: readonly LaneId[],
): Promise<(ClaimedLane & { readonly others: readonly Lane[] }) | null> {
  const lanes = await tx.lockLanes([id, ...others]);
  const lane = lanes.find((one) => one.id === id);
  const mine = lane === undefined ? null : underClaim(lane, held);
  return mine === null ? null : { ...mine, others: lanes.filter((one) => one !== lane) };
}

/** A locked lane with its claimed event; `null` if the claim was lost. */
export function underClaim(lane: Lane, claimed: Claim): ClaimedLane | null {
  const event = holdsClaim(lane, claimed) ? processing(lane) : null;
  return event === null ? null : { lane, event, start: unchanged(lane) };
}

/** Saves the decision on a locked lane under its claim. */
export async function save(
  tx: StoreTransaction,
  held: ClaimedLane,
  after: Transition,
): Promise<void> {
  await saveDecided(tx, [{ before: held.lane, after }]);
}

/** Removes a create that made nothing from its lane, which is the only write allowed after a claim was lost. */
export async function forgetLate(
  tx: StoreTransaction,
  { lane: id, claim: { event, epoch } }: Claimed,
): Promise<void> {
  const [before] = await tx.lockLanes([id]);
  if (before === undefined) return;
  const lane = withoutRefusedLate(before, { id: event, epoch });
  if (lane !== before) await saveDecided(tx, [{ before, after: { lane, ended: [] } }]);
}

/**
 * Renews the lease of a claim every quarter of its time, until stopped. A failed renewal is harmless: if another
 * worker gets the lease, the next write of this one is refused.
 */
export function keepLease(services: Services, claimed: Claimed, leaseMillis: number): () => void {
  let stop: () => void;
  let released = false;
  const schedule = () => {
    // A renewal may be in progress when the claim is released: it must not schedule the next one.
    if (released) return;
    stop = services.clock.setTimer(leaseMillis / 4, () => {
      void renewLease(services, claimed, leaseMillis).then(
        (held) => {
          if (held) schedule();
        },
        () => {
          schedule();
        },
      );
    });
  };
  schedule();
  return () => {
    released = true;
    stop();
  };
}

/** Renews the lease of a claim. Returns whether the claim still holds. */
export async function renewLease(
  services: Services,
  claimed: Claimed,
  leaseMillis: number,
): Promise<boolean> {
  return services.store.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed);
    if (held === null) return false;
    const after = move(held.start, held.event.id, "processing", tx.now, {
      leaseExpiresAt: addMillis(tx.now, leaseMillis),
    });
    await tx.saveLanes([{ before: held.lane, after }]);
    return true;
  });
}
