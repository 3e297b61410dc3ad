/** Every store's duties for runs that wait for a person's approval, and for the local sweep. */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Outlook, AffectedRecord } from "../../src/model/held-run.ts";
import { addMillis } from "../../src/model/instant.ts";
import { recordDeleted } from "../../src/model/tombstone.ts";
import { aConnection, anId, decide, issueKey, type OpenedStore, present } from "./opened-store.ts";

export function heldRunsConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;

  describe("held runs", () => {
    beforeAll(async () => {
      opened = await open();
    });

    it("are one of a kind in a connection while they are open, and keep what was shown last", async () => {
      const { store } = opened;
      const { heldRuns } = store;
      const connectionId = await aConnection(store, "runs");
      const outlook: Outlook = { deletes: 30, overwrites: 2, records: 40 };
      const affected: AffectedRecord = {
        what: "delete",
        recordType: "tasks",
        recordId: "7",
        resourceType: "issue",
        externalId: "42",
      };
      const run = { connectionId, kind: "id_sweep", state: "held", outlook } as const;
      const id = await heldRuns.hold({ ...run, sample: [] });
      const other = await heldRuns.hold({ ...run, kind: "local_sweep", sample: [] });
      expect(await heldRuns.hold({ ...run, sample: [affected] })).toBe(id);

      expect(await heldRuns.open()).toMatchObject([
        { id, ...run, sample: [affected] },
        { id: other, kind: "local_sweep" },
      ]);
      expect(await heldRuns.move(id, "approved")).toBe(true);
      expect((await heldRuns.open())[0]).toMatchObject({ id, state: "approved" });

      expect(await heldRuns.move(id, "done")).toBe(true);
      expect(await heldRuns.move(id, "approved")).toBe(false);
      expect(await heldRuns.move("no number", "approved")).toBe(false);
      expect(await heldRuns.hold({ ...run, sample: [] })).not.toBe(id);
      for (const { id: left } of await heldRuns.open()) await heldRuns.move(left, "withdrawn");
      expect(await heldRuns.open()).toEqual([]);
    });

    it("are weighed by the living pairings of a connection, which are walked in steps", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "walked");
      const keys = ["10", "11", "12", "13"].map((recordId) => ({
        ...issueKey(connection, ""),
        externalId: null,
        recordId,
      }));
      const ids = await store.transaction((tx) =>
        tx.ensureLanes([...keys, issueKey(connection, "without a record")]),
      );
      await decide(store, present(ids[1]), (_, now) => ({ tombstone: recordDeleted(anId(), now) }));
      const mapped = { recordType: "tasks", resourceType: "issue" };
      const walked = await store.transaction(async (tx) => [
        await tx.findLanes({
          kind: "with_record",
          connectionId: connection,
          ...mapped,
          after: null,
          limit: 2,
        }),
        await tx.findLanes({
          kind: "with_record",
          connectionId: connection,
          ...mapped,
          after: "12",
          limit: 2,
        }),
        await tx.findLanes({
          kind: "with_record",
          connectionId: connection,
          ...mapped,
          recordType: "comments",
          after: null,
          limit: 2,
        }),
      ]);
      expect(walked).toMatchObject([
        [
          { id: ids[0], recordId: "10" },
          { id: ids[2], recordId: "12" },
        ],
        [{ id: ids[3], recordId: "13" }],
        [],
      ]);
      expect(await store.transaction((tx) => tx.countPairedLanes(connection))).toBe(3);
    });
  });

  describe("the instance", () => {
    it("is nobody's at first, tells where it lives, and keeps what was written last", async () => {
      const { store } = await open();
      const { stored, place } = await store.instance.read();
      expect(stored).toBeNull();
      expect(place).not.toBeNull();
      await store.instance.adopt({ name: null, place });
      await store.instance.adopt({ name: "prod", place });
      const kept = await store.instance.read();
      expect(kept).toMatchObject({ stored: { name: "prod", place, setBack: null }, place });
      const now = await store.ledger.now();
      expect(kept.stored?.adoptedAt).toBeLessThanOrEqual(now);
    });

    it("knows the beats that it kept, each later than the one before, and no others", async () => {
      const { store } = await open();
      const { instance } = store;
      const [here, there] = [randomUUID(), randomUUID()];
      const now = await store.ledger.now();
      const first = await instance.beat(here, null);
      expect(first).toBeGreaterThanOrEqual(now);
      const second = await instance.beat(here, first);
      expect(second).toBeGreaterThan(first ?? NaN);
      // Another process of the same host may have seen less.
      const third = await instance.beat(here, first);
      expect(third).toBeGreaterThan(second ?? NaN);
      expect(await instance.beat(here, addMillis(third ?? now, 1))).toBeNull();
      expect(await instance.beat(there, first)).toBeNull();
      expect(await instance.beat(there, null)).not.toBeNull();
      expect(await instance.beat(here, third)).not.toBeNull();
    });

    it("is set back for everybody until it is adopted again", async () => {
      const { store } = await open();
      await store.instance.adopt({ name: "prod", place: null });
      const now = await store.ledger.now();
      await store.instance.noteSetBack("approved since", addMillis(now, -1_000));
      expect((await store.instance.read()).stored?.setBack).toBeNull();
      await store.instance.noteSetBack("it was set back", addMillis(now, 1));
      expect((await store.instance.read()).stored?.setBack).toBe("it was set back");
      await store.instance.adopt({ name: "prod", place: null });
      expect((await store.instance.read()).stored?.setBack).toBeNull();
    });
  });
}
