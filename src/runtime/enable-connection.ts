/** Switching on again, a connection or one record: the newest event of each lane goes on, with a re-read. */
import { enableLane, enableLeftOff } from "../engine/restart.ts";
import { pairingOff, unchanged } from "../engine/transition.ts";
import type { Connection } from "../model/connection.ts";
import type { ConnectionId, LaneId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { Lane, Transition } from "../model/lane.ts";
import type { Services } from "./services.ts";

export async function enableConnection(
  services: Services,
  connection: ConnectionId,
): Promise<void> {
  await services.store.directory.updateConnection(connection, {
    inbound: true,
    outbound: true,
    pausedReason: null,
  });
  await enableLanes(services, connection, (lane, now) =>
    // A pairing that was switched off by itself is switched on by itself.
    pairingOff(lane) === "quarantined" ? unchanged(lane) : enableLane(lane, now),
  );
}

/** Switches on what was left off in a connection that is on. */
export function enableRest(
  services: Services,
  { id, inbound, outbound }: Connection,
): Promise<void> {
  const on = { inbound, outbound };
  const directions = (["inbound", "outbound"] as const).filter((direction) => on[direction]);
  return enableLanes(services, id, (lane, now) => enableLeftOff(lane, now, directions));
}

async function enableLanes(
  services: Services,
  connection: ConnectionId,
  enable: (lane: Lane, now: Instant) => Transition,
): Promise<void> {
  let after: LaneId | null = null;
  for (;;) {
    const cursor: LaneId | null = after;
    const last: LaneId | undefined = await services.store.transaction(async (tx) => {
      const lanes = await tx.lockLanesInState(connection, "disabled", 200, cursor ?? undefined);
      const decided = lanes.map((before) => ({ before, after: enable(before, tx.now) }));
      await tx.saveLanes(decided.filter(({ before, after: { lane } }) => lane !== before));
      return lanes.at(-1)?.id;
    });
    if (last === undefined) return;
    after = last;
  }
}

/** Switches the pairings of a record on again; returns how many were off. */
export async function enableRecord(
  services: Services,
  recordType: string,
  recordId: string,
): Promise<number> {
  const lanes = await services.store.ledger.lanesOfRecord(recordType, recordId);
  const off = lanes.filter(({ disabled }) => disabled !== null).map(({ id }) => id);
  return services.store.transaction(async (tx) => {
    const held = (await tx.lockLanes(off)).filter(({ disabled }) => disabled !== null);
    await tx.saveLanes(held.map((before) => ({ before, after: enableLane(before, tx.now) })));
    return held.length;
  });
}
