/** Claims: which events this worker works on, for how long, and what happens to leases that ran out. */
import { withoutRefusedLate } from "../../engine/creates/index.ts";
import { type Claim, holdsClaim, move, processing, unchanged } from "../../engine/lane/index.ts";
import type { LaneId } from "../../model/ids.ts";
import { addMillis } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Claimed, Held, Services } from "../services/index.ts";
import { saveDecided } from "./save.ts";

/** Locks the lane of a claim; `null` where the claim was lost, and nothing may be written. */
export async function hold(tx: StoreTransaction, claimed: Claimed): Promise<Held | null> {
  return holdAmong(tx, claimed, []);
}

/** The same with other lanes, those that still exist: all are locked at once, in their order. */
export async function holdAmong(
  tx: StoreTransaction,
  { lane: id, claim: held }: Claimed,
  others: readonly LaneId[],
): Promise<(Held & { readonly others: readonly Lane[] }) | null> {
  const lanes = await tx.lockLanes([id, ...others]);
  const lane = lanes.find((one) => one.id === id);
  const mine = lane === undefined ? null : heldBy(lane, held);
  return mine === null ? null : { ...mine, others: lanes.filter((one) => one !== lane) };
}

/** A locked lane under a claim; `null` where the claim was lost. */
export function heldBy(lane: Lane, claimed: Claim): Held | null {
  const event = holdsClaim(lane, claimed) ? processing(lane) : null;
  return event === null ? null : { lane, event, start: unchanged(lane) };
}

/** Writes what was decided on a held lane. */
export async function save(tx: StoreTransaction, held: Held, after: Transition): Promise<void> {
  await saveDecided(tx, [{ before: held.lane, after }]);
}

/** Forgets a create that made nothing, though its claim is lost. No other write is accepted then. */
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
 * Renews the lease of a claim every quarter of it, until stopped. A renewal that fails is no
 * matter: the next write of the worker is refused if the lease has passed on.
 */
export function keepLease(services: Services, claimed: Claimed, leaseMillis: number): () => void {
  let stop: () => void;
  let released = false;
  const schedule = () => {
    // A renewal may be under way when the claim is let go of: it must not be the first of many.
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

/** Renews the lease of a claim, which is a worker's heartbeat; says whether the claim still holds. */
export async function renewLease(
  services: Services,
  claimed: Claimed,
  leaseMillis: number,
): Promise<boolean> {
  return services.store.transaction(async (tx) => {
    const held = await hold(tx, claimed);
    if (held === null) return false;
    const after = move(held.start, held.event.id, "processing", tx.now, {
      leaseExpiresAt: addMillis(tx.now, leaseMillis),
    });
    await tx.saveLanes([{ before: held.lane, after }]);
    return true;
  });
}
