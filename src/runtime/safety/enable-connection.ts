/** Enabling a connection or the pairings of one record: the newest event of each lane is requeued with a re-read. */
import { enableLane } from "../../engine/lane/index.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Services } from "../services/index.ts";

export async function enableConnection(
  services: Pick<Services, "store">,
  connection: ConnectionId,
): Promise<void> {
  await services.store.directory.updateConnection(connection, {
    inbound: true,
    outbound: true,
    pausedReason: null,
  });
  let after: LaneId | null = null;
  for (;;) {
    const cursor: LaneId | null = after;
    const last: LaneId | undefined = await services.store.transaction(async (tx) => {
      const lanes = await tx.lockLanesInState(connection, "disabled", 200, cursor ?? undefined);
      // A quarantined or restored pairing stays off: a person must enable its record. A connection is also enabled
      // without a person, when an installation is no longer suspended.
      const held = lanes.filter(
        ({ disabled }) => disabled === null || disabled.cause === "unmapped",
      );
      await tx.saveLanes(held.map((before) => ({ before, after: enableLane(before, tx.now) })));
      return lanes.at(-1)?.id;
    });
    if (last === undefined) return;
    after = last;
  }
}

/** Enables the pairings of a record; returns how many were switched off. */
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
