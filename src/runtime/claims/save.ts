/** Saves the decisions on locked lanes, and wakes events that waited for a create which these decisions settled. */
import { closesIntent } from "../../engine/creates/index.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";

export async function saveDecided(
  tx: StoreTransaction,
  decided: readonly Decided[],
): Promise<void> {
  await tx.saveLanes(decided);
  const closed = new Map(
    decided
      .filter(({ before, after }) => closesIntent(before, after.lane))
      .map(({ before }) => [`${before.connectionId}/${before.resourceType}`, before]),
  );
  for (const { connectionId, resourceType } of closed.values()) {
    await tx.wakeAwaitingIntent(connectionId, resourceType);
  }
}
