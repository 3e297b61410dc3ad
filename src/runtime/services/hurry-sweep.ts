/** Making a sweep due soon, so that surplus resources are closed without waiting for the daily sweep (S60). */
import { type Instant, instantFromMicros } from "../../model/instant.ts";
import type { ConnectionId } from "../../model/ids.ts";
import type { Services } from "./services.ts";

const LONG_AGO: Instant = instantFromMicros(0);

/** Makes the connections' sweeps due. Called after the commit: if it fails, the daily sweep still closes them. */
export async function hurrySweeps(
  { store }: Services,
  connections: readonly ConnectionId[],
): Promise<void> {
  for (const id of new Set(connections)) {
    await store.directory.updateConnection(id, { sweptAt: LONG_AGO });
  }
}
