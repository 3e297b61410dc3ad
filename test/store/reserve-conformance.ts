/** Every store's duties for lanes that are still to be made: hold them, and make them once. */
import { beforeAll, describe, expect, it } from "vitest";
import { aConnection, issueKey, type OpenedStore, present } from "./opened-store.ts";

export function reservedLanesConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;

  describe("reserved lanes", () => {
    beforeAll(async () => {
      opened = await open();
    });

    it("are held as they will be, and made when they are saved", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "reserving");
      const keys = ["1", "2", "2", "3"].map((name) => issueKey(connection, name));
      const reserved = await store.transaction(async (tx) => {
        const ids = (await tx.reserveLanes(keys, "wait")).filter((id) => id !== null);
        expect(await tx.reserveLanes(keys.slice(2), "skip")).toEqual(ids.slice(2));
        const lanes = await tx.lockLanes([...new Set(ids)], "skip");
        expect(lanes.map(({ externalId }) => externalId)).toEqual(["1", "2", "3"]);
        expect(
          await tx.findLanes({
            kind: "of_resources",
            connectionId: connection,
            resourceType: "issue",
            externalIds: ["1", "2", "3"],
          }),
        ).toEqual([]);
        const [first, second] = present(lanes);
        const copy = { title: "A" };
        await tx.saveLanes([
          { before: present(first), after: { lane: { ...present(first), copy }, ended: [] } },
          { before: present(second), after: { lane: present(second), ended: [] } },
        ]);
        const [saved] = await tx.lockLanes([present(first).id]);
        const base = copy;
        await tx.saveLanes([
          { before: present(saved), after: { lane: { ...present(saved), base }, ended: [] } },
        ]);
        return ids;
      });
      expect(reserved[1]).toBe(reserved[2]);
      await store.transaction(async (tx) => {
        const found = await tx.findLanes({
          kind: "of_resources",
          connectionId: connection,
          resourceType: "issue",
          externalIds: ["1", "2", "3"],
        });
        expect(found.map(({ id }) => id)).toEqual([reserved[0], reserved[1]]);
        expect(await tx.lockLanes(reserved.slice(0, 2))).toMatchObject([
          { externalId: "1", copy: { title: "A" }, base: { title: "A" } },
          { externalId: "2", copy: null },
        ]);
      });
    });

    it("that somebody else makes meanwhile are found by the next run", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "meanwhile");
      let runs = 0;
      const [own, others] = await Promise.all(
        [1, 2].map(() =>
          store.transaction(async (tx) => {
            runs += 1;
            const [found] = await tx.findLanes({
              kind: "of_resources",
              connectionId: connection,
              resourceType: "issue",
              externalIds: ["1"],
            });
            if (found !== undefined) return found.id;
            const ids = await tx.reserveLanes([issueKey(connection, "1")], "wait");
            const [lane] = await tx.lockLanes(ids.filter((id) => id !== null));
            await tx.saveLanes([
              { before: present(lane), after: { lane: present(lane), ended: [] } },
            ]);
            return present(lane).id;
          }),
        ),
      );
      expect(others).toBe(own);
      expect(runs).toBeGreaterThanOrEqual(2);
    });
  });
}
