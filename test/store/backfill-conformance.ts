/** Backfills and the keys by which they pair, as any store keeps them. */
import { beforeAll, describe, expect, it } from "vitest";
import { addMillis } from "../../src/model/instant.ts";
import { aConnection, aQueued, decide, laneOf, type OpenedStore, present } from "./opened-store.ts";

export function backfillsConformance(open: () => Promise<OpenedStore>): void {
  describe("backfills", () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open();
    });

    it("begin, are taken by one worker at a time, and go on where they were", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "filled");
      const options = { pairs: true, creates: false };
      await store.transaction((tx) => tx.backfills.open(connection, "issue", options));
      const claim = () =>
        store.transaction((tx) =>
          tx.backfills.claim(connection, "issue", addMillis(tx.now, 60_000)),
        );
      const isDue = async () => (await store.ledger.dueNow()).backfills;
      expect(await isDue()).toBe(true);
      const claimed = present((await claim()) ?? undefined);
      expect(claimed).toMatchObject({ step: "list", cursor: null, pairs: true, creates: false });
      expect(await claim()).toBeNull();
      expect(await isDue()).toBe(false);

      const progress = { ...claimed.progress, listed: 7, latest: claimed.startedAt };
      const after = { ...claimed, cursor: "page 2", progress, leasedUntil: null };
      expect(await store.transaction((tx) => tx.backfills.save(claimed, after))).toBe(true);
      // The claim was given back: what its worker still writes is refused.
      expect(await store.transaction((tx) => tx.backfills.save(claimed, claimed))).toBe(false);
      expect(await isDue()).toBe(true);
      // A backfill with a later `runAt` is not due before that time, and no worker claims it.
      const waiting = { ...after, runAt: addMillis(claimed.startedAt, 3_600_000) };
      const resumed = present((await claim()) ?? undefined);
      await store.transaction((tx) => tx.backfills.save(resumed, waiting));
      expect(await isDue()).toBe(false);
      expect(await claim()).toBeNull();
      // Asked for again it goes on, and creates from now on.
      await store.transaction((tx) =>
        tx.backfills.open(connection, "issue", { pairs: true, creates: true }),
      );
      const again = present((await claim()) ?? undefined);
      expect(again).toMatchObject({ cursor: "page 2", creates: true, progress });
      const connections = await store.directory.connections();
      expect(connections.find(({ id }) => id === connection)?.pairing).toEqual(["issue"]);

      const done = { ...again, step: "done", finishedAt: again.startedAt } as const;
      await store.transaction((tx) => tx.backfills.save(again, { ...done, leasedUntil: null }));
      expect(await claim()).toBeNull();
      expect(await isDue()).toBe(false);
      const all = await store.directory.backfills();
      expect(all.filter(({ connectionId }) => connectionId === connection)).toMatchObject([
        { resourceType: "issue", step: "done", progress: { listed: 7 } },
      ]);
      await store.transaction((tx) => tx.backfills.open(connection, "issue", options));
      expect(await claim()).toMatchObject({ step: "list", cursor: null, progress: { listed: 0 } });
    });

    it("tell the keys that both sides have, and who is not alone with one", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "keyed");
      const noted = (side: "record" | "resource", id: string, key: string) => ({
        side,
        id,
        key,
        label: `key ${key}`,
      });
      await store.transaction((tx) =>
        tx.backfills.noteKeys(connection, "issue", [
          noted("record", "1", "a"),
          noted("resource", "11", "a"),
          noted("record", "2", "b"),
          noted("record", "3", "b"),
          noted("resource", "12", "b"),
          noted("record", "4", "c"),
          noted("record", "5", "c"),
          noted("resource", "13", "d"),
        ]),
      );
      const shared = (after: string | null, limit: number) =>
        store.transaction((tx) => tx.backfills.sharedKeys(connection, "issue", after, limit));
      const [first, second] = await shared(null, 10);
      expect(first).toEqual({ key: "a", label: "key a", records: ["1"], resources: ["11"] });
      expect(second).toMatchObject({ key: "b", records: ["2", "3"], resources: ["12"] });
      expect(await shared(null, 10)).toHaveLength(2);
      expect(await shared("a", 1)).toMatchObject([{ key: "b" }]);
      const ambiguous = (ids: readonly string[]) =>
        store.transaction((tx) => tx.backfills.ambiguousRecords(connection, "issue", ids));
      expect([...(await ambiguous(["1", "2", "4", "9"]))]).toEqual(["2"]);
      await store.transaction((tx) => tx.backfills.forgetKeys(connection, "issue"));
      expect(await shared(null, 10)).toEqual([]);
    });

    it("tell a record by its own keys, not by a resource of its id, another type or connection", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "keyed apart");
      const elsewhere = await aConnection(store, "keyed elsewhere");
      const note = (of: typeof connection, type: string, ...keys: readonly string[]) =>
        store.transaction((tx) =>
          tx.backfills.noteKeys(
            of,
            type,
            keys.map((text) => {
              const [side, id = "", key = ""] = text.split(" ");
              return { side: side as "record" | "resource", id, key, label: key };
            }),
          ),
        );
      await note(connection, "issue", "record 1 a", "resource 11 a");
      await note(connection, "issue", "record 2 b", "record 3 b", "resource 1 b");
      await note(connection, "issue", "record 4 c", "record 5 c", "record 6 c");
      await note(connection, "pull_request", "record 1 b", "resource 12 a", "resource 2 c");
      await note(elsewhere, "issue", "record 8 a", "resource 13 a", "resource 2 c");

      await store.transaction(async (tx) => {
        const of = (ids: readonly string[]) =>
          tx.backfills.ambiguousRecords(connection, "issue", ids);
        expect([...(await of(["1", "4", "8"]))]).toEqual([]);
        expect([...(await of(["1", "2", "3", "4"]))].sort()).toEqual(["2", "3"]);
        expect(await tx.backfills.sharedKeys(connection, "issue", null, 10)).toMatchObject([
          { key: "a", records: ["1"], resources: ["11"] },
          { key: "b", records: ["2", "3"], resources: ["1"] },
        ]);
      });
      // Keys of another type or connection stay.
      await store.transaction((tx) => tx.backfills.forgetKeys(connection, "issue"));
      await store.transaction(async (tx) => {
        expect(await tx.backfills.sharedKeys(connection, "issue", null, 10)).toEqual([]);
        expect(await tx.backfills.sharedKeys(elsewhere, "issue", null, 10)).toMatchObject([
          { key: "a", records: ["8"], resources: ["13"] },
        ]);
      });
    });

    it("count what of theirs is still to be done, up to a limit", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "busy with it");
      for (const record of ["b1", "b2", "b3"]) {
        const lane = await laneOf({ store, connection }, record);
        const source = record === "b3" ? "poll" : "backfill";
        await decide(store, lane, (before, now) => ({ live: [aQueued(before, now, { source })] }));
      }
      const backlog = (limit: number) =>
        store.transaction((tx) => tx.backfills.backlog(connection, limit));
      expect(await backlog(10)).toBe(2);
      expect(await backlog(1)).toBe(1);
    });
  });
}
