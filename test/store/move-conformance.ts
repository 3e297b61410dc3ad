/** Every store's duties for lanes that move from one connection to another. */
import { beforeAll, describe, expect, it } from "vitest";
import type { LaneId } from "../../src/model/ids.ts";
import { addMillis } from "../../src/model/instant.ts";
import type { Lane } from "../../src/model/lane.ts";
import { recordDeleted, resourceDeleted } from "../../src/model/tombstone.ts";
import {
  aConnection,
  anId,
  aQueued,
  decide,
  issueKey,
  laneOf,
  type OpenedStore,
  present,
  readLane,
} from "./opened-store.ts";
import { outOfReach } from "../../src/engine/lane/tombstone.ts";

export function movesConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;

  describe("lanes that move", () => {
    beforeAll(async () => {
      opened = await open();
    });

    it("trade places in one step, with their live events", async () => {
      const { store, connection } = opened;
      const there = await aConnection(store, "moved to");
      const [goes, stays] = (
        await store.transaction((tx) =>
          tx.ensureLanes([issueKey(connection, "1"), issueKey(there, "1")]),
        )
      ).map(present);
      await store.transaction(async (tx) => {
        const lanes = await tx.lockLanes([present(goes), present(stays)]);
        await tx.saveLanes(
          lanes.map((before) => {
            const connectionId = before.id === goes ? there : connection;
            const moved = { connection: before.connectionId, externalId: "1" };
            const lane: Lane = { ...before, connectionId, moved };
            const live = before.id === goes ? [aQueued(lane, tx.now)] : [];
            return { before, after: { lane: { ...lane, live }, ended: [] } };
          }),
        );
      });

      await store.transaction(async (tx) => {
        const found = await tx.findLanes({
          kind: "of_resources",
          connectionId: there,
          resourceType: "issue",
          externalIds: ["1"],
        });
        const moved = { connection, externalId: "1" };
        expect(found).toMatchObject([{ id: goes, moved, tombstone: null }]);
        const left = await tx.findLanes({
          kind: "of_resources",
          connectionId: connection,
          resourceType: "issue",
          externalIds: ["1"],
        });
        expect(left).toMatchObject([{ id: stays }]);
      });
      // Once more, and back: an address that was left is free.
      await store.transaction(async (tx) => {
        const lanes = await tx.lockLanes([present(goes), present(stays)]);
        await tx.saveLanes(
          lanes.map((before) => {
            const connectionId = before.id === goes ? connection : there;
            const live = before.live.map((event) => ({ ...event, connectionId }));
            const lane: Lane = { ...before, connectionId, moved: null, live };
            return { before, after: { lane, ended: [] } };
          }),
        );
      });
      const back = await readLane(store, present(goes));
      expect(back).toMatchObject({ connectionId: connection, externalId: "1", moved: null });
      expect(back.live).toMatchObject([{ connectionId: connection, state: "queued" }]);
      await store.transaction(async (tx) => {
        expect(await tx.lockLanesInState(connection, "queued", 10)).toHaveLength(1);
        expect(await tx.lockLanesInState(there, "queued", 10)).toEqual([]);
      });
    });

    it("tell of a record where it came from, until it has followed", async () => {
      const { store, connection } = opened;
      const id = await laneOf(opened, "tells");
      await decide(store, id, () => ({ recordId: "tells" }));
      const look = () =>
        store.transaction((tx) =>
          tx.findLanes({ kind: "of_records", recordType: "tasks", recordIds: ["tells"] }),
        );
      expect(await look()).toMatchObject([{ id, moved: null }]);
      await decide(store, id, () => ({ moved: { connection, externalId: "9" } }));
      expect(await look()).toMatchObject([{ id, moved: { connection } }]);
    });

    it("are found below a parent, ended ones too", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "below");
      const elsewhere = await aConnection(store, "below as well");
      const key = (of: typeof connection, externalId: string) => ({
        ...issueKey(of, externalId),
        resourceType: "issue_comment",
      });
      const made = await store.transaction((tx) =>
        tx.ensureLanes([
          ...["10", "11", "12"].map((id) => key(connection, id)),
          key(elsewhere, "10"),
        ]),
      );
      const [living, ended, other, foreign] = made.map(present);
      const below = (externalId: string) => ({ parent: { type: "issue", externalId } });
      await decide(store, present(living), () => below("1"));
      await decide(store, present(ended), (_, now) => ({
        ...below("1"),
        tombstone: resourceDeleted(anId(), now),
      }));
      await decide(store, present(other), () => below("2"));
      await decide(store, present(foreign), () => below("1"));
      const found = await store.transaction((tx) =>
        tx.findLanes({
          kind: "children",
          connectionId: connection,
          resourceType: "issue_comment",
          parentExternalId: "1",
        }),
      );
      expect(found).toMatchObject([living, ended].map((id) => ({ id, recordId: null })));
    });

    it("keep the address to follow from and the next address apart, however they ended", async () => {
      const { store, connection } = opened;
      const id = await laneOf(opened, "apart");
      const address = { connection, externalId: "9007199254740997" };
      const resources = [
        "present",
        "deleted",
        { outOfReach: "77/6" },
        { movedOn: address },
      ] as const;
      for (const record of ["present", "deleted", "with_parent"] as const) {
        for (const resource of resources) {
          if (record === "present" && resource === "present") continue;
          for (const moved of [null, address]) {
            if (moved !== null && typeof resource === "object" && "movedOn" in resource) continue;
            const event = anId();
            await decide(store, id, (_, at) => ({
              tombstone: { event, at, record, resource },
              moved,
            }));
            const kept = { moved, tombstone: { event, record, resource } };
            expect(await readLane(store, id)).toMatchObject(kept);
            const [summary] = await store.transaction((tx) =>
              tx.findLanes({
                kind: "of_resources",
                connectionId: connection,
                resourceType: "issue",
                externalIds: ["apart"],
              }),
            );
            expect(summary).toMatchObject(kept);
          }
        }
      }
    });

    it("are found while their resources are out of reach, the latest first", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "left behind");
      const keys = ["first", "second", "deleted", "unpaired", "there"].map((name) => ({
        ...issueKey(connection, name),
        recordId: name === "unpaired" ? null : `left ${name}`,
      }));
      const ids = (await store.transaction((tx) => tx.ensureLanes(keys))).map(present);
      const [first, second, deleted, unpaired] = ids.map(present);
      const leave = (id: LaneId | undefined, end: typeof recordDeleted, delay: number) =>
        decide(store, present(id), (_, now) => ({
          tombstone: outOfReach(end(anId(), addMillis(now, delay)), "78/1"),
        }));
      await leave(second, resourceDeleted, 1_000);
      await leave(first, resourceDeleted, 0);
      await leave(deleted, recordDeleted, 2_000);
      await leave(unpaired, resourceDeleted, 3_000);
      const away = (limit: number, resourceType = "issue") =>
        store.transaction((tx) =>
          tx.findLanes({
            kind: "out_of_reach",
            connectionIds: [connection],
            resourceType,
            limit,
          }),
        );
      expect(await away(5)).toMatchObject([
        { id: second, externalId: "second", tombstone: { resource: { outOfReach: "78/1" } } },
        { id: first, recordId: "left first" },
      ]);
      expect(await away(5)).toHaveLength(2);
      expect(await away(1)).toMatchObject([{ id: second }]);
      expect(await away(5, "issue_comment")).toEqual([]);
    });

    it("are found by where they went out of reach", async () => {
      const { store, connection } = opened;
      const id = await laneOf(opened, "left");
      const look = () =>
        store.transaction((tx) =>
          tx.findLanes({ kind: "moved_to", resourceType: "issue", place: "77/5" }),
        );
      expect(await look()).toEqual([]);
      await decide(store, id, (_, now) => ({
        tombstone: outOfReach(resourceDeleted(anId(), now), "77/5"),
      }));
      expect(await look()).toMatchObject([{ id }]);
      await store.transaction(async (tx) => {
        expect(
          await tx.findLanes({
            kind: "of_resources",
            connectionId: connection,
            resourceType: "issue",
            externalIds: ["left"],
          }),
        ).toMatchObject([{ id, tombstone: { resource: { outOfReach: "77/5" } } }]);
        expect(
          await tx.findLanes({ kind: "moved_to", resourceType: "issue_comment", place: "77/5" }),
        ).toEqual([]);
      });
      await decide(store, id, (_, now) => ({
        tombstone: { ...recordDeleted(anId(), now), record: "out_of_scope" },
      }));
      expect(await look()).toEqual([]);
      await store.transaction(async (tx) => {
        expect(
          await tx.findLanes({
            kind: "of_resources",
            connectionId: connection,
            resourceType: "issue",
            externalIds: ["left"],
          }),
        ).toMatchObject([{ id, tombstone: { record: "out_of_scope", resource: "present" } }]);
      });
    });

    it("are found by where they came from out of reach, living ones first, with where they are", async () => {
      const { store, connection } = opened;
      const ended = await laneOf(opened, "came and went");
      const living = await laneOf(opened, "came");
      const look = () =>
        store.transaction((tx) =>
          tx.findLanes({ kind: "came_from", resourceType: "issue", place: "77/6" }),
        );
      expect(await look()).toEqual([]);
      const display = { number: "6" };
      await decide(store, living, () => ({ cameFrom: "77/6", display }));
      await decide(store, ended, (_, now) => ({
        cameFrom: "77/6",
        tombstone: resourceDeleted(anId(), now),
      }));
      expect(await look()).toMatchObject([
        { id: living, connectionId: connection, externalId: "came", display },
        { id: ended, connectionId: connection, externalId: "came and went", display: {} },
      ]);
      expect(await readLane(store, living)).toMatchObject({ cameFrom: "77/6" });
      await store.transaction(async (tx) => {
        expect(
          await tx.findLanes({ kind: "came_from", resourceType: "issue_comment", place: "77/6" }),
        ).toEqual([]);
      });
      await decide(store, living, () => ({ cameFrom: null }));
      expect(await look()).toMatchObject([{ id: ended }]);
      await decide(store, ended, () => ({ externalId: null }));
      expect(await look()).toEqual([]);
    });
  });
}
