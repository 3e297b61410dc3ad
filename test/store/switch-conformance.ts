/** Every store's duties between the switches of a connection and the events that obey them. */
import { beforeAll, describe, expect, it } from "vitest";
import type { TandemEvent } from "../../src/model/event.ts";
import {
  aConnection,
  aQueued,
  decide,
  issueKey,
  type OpenedStore,
  present,
  readLane,
} from "./opened-store.ts";

export function switchesConformance(open: () => Promise<OpenedStore>): void {
  describe("lanes of a connection that is switched off and on", () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open();
    });

    it("have no event switched off whose connection is switched on by now", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "switched on meanwhile");
      const [id] = await store.transaction((tx) => tx.ensureLanes([issueKey(connection, "1")]));
      const off = (changes: Partial<TandemEvent> = {}) =>
        decide(store, present(id), (lane, now) => ({
          live: [
            { ...aQueued(lane, now), state: "disabled", reason: "connection_paused", ...changes },
          ],
        }));
      await expect(off()).rejects.toMatchObject({ code: "40001" });
      await store.directory.updateConnection(connection, { inbound: false });
      await expect(off({ direction: "outbound" })).rejects.toThrow(
        `outbound of connection ${connection} was switched on meanwhile`,
      );
      await off();
      await store.directory.updateConnection(connection, { inbound: true });
      // The code that switches the connection on releases the events that were off before.
      await decide(store, present(id), () => ({ epoch: 5 }));
      expect(await readLane(store, present(id))).toMatchObject({
        epoch: 5,
        live: [{ state: "disabled" }],
      });
    });
  });
}
