/** Switching a connection on again: the newest event of each lane goes on, with a re-read. */
import { enableLane } from "../engine/restart.ts";
import type { ConnectionId } from "../model/ids.ts";
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
  for (;;) {
    const count = await services.store.transaction(async (tx) => {
      const lanes = await tx.lockLanesInState(connection, "disabled", 200);
      await tx.saveLanes(lanes.map((before) => ({ before, after: enableLane(before, tx.now) })));
      return lanes.length;
    });
    if (count === 0) return;
  }
}
