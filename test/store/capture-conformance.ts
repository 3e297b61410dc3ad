/** Every store's duties for the app's own writes: capture all of them, and no more. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseInstant } from "../../src/model/instant.ts";
import type { Mapping } from "../../src/model/mapping.ts";
import { anId, type OpenedStore, present, type StoreOptions, tasks } from "./opened-store.ts";

const stamped: Mapping = { ...tasks, modifiedAt: "updated_at" };

export function capturesConformance(open: (options?: StoreOptions) => Promise<OpenedStore>): void {
  let opened: OpenedStore;
  let task: string;
  const captured = () => opened.store.transaction((tx) => tx.changes.take(1_000));
  const edit = (patch: Readonly<Record<string, unknown>>) =>
    opened.rows.update("tasks", task, patch);

  async function aTask(): Promise<void> {
    for (const { id } of await opened.rows.all("tasks")) {
      await opened.rows.delete("tasks", String(id));
    }
    task = present((await opened.rows.insert("tasks", { title: "A" }))[0]);
    await captured();
  }

  describe("the app's writes", () => {
    beforeAll(async () => {
      opened = await open();
    });
    beforeEach(aTask);

    it("are captured with what moved, by whom, and when", async () => {
      const before = await opened.store.ledger.now();
      const [id = ""] = await opened.rows.insert("tasks", { title: "B" });
      await opened.rows.update("tasks", id, { title: "C", labels: ["x"] });
      await opened.rows.delete("tasks", id);
      const after = await opened.store.ledger.now();

      const changes = await captured();
      const all = ["labels", "markdown", "project_id", "status", "title"];
      expect(changes).toMatchObject([
        { recordType: "tasks", recordId: id, operation: "insert", columns: all, oldRow: null },
        { recordId: id, operation: "update", columns: ["labels", "title"], oldRow: null },
        { recordId: id, operation: "delete", columns: [] },
      ]);
      expect(changes[2]?.oldRow).toEqual({
        id,
        labels: ["x"],
        markdown: null,
        project_id: "1",
        status: "todo",
        title: "C",
      });
      for (const change of changes) {
        expect(change.origin).toBeNull();
        expect(change.changedAt).toBeGreaterThanOrEqual(before);
        expect(change.changedAt).toBeLessThanOrEqual(after);
      }
    });

    it("are drained together with what is noted beside them", async () => {
      const origin = anId();
      const noted = { recordType: "tasks", recordId: task, columns: ["project_id"], origin };
      await opened.store.transaction((tx) =>
        tx.changes.note([noted, { ...noted, columns: [], origin: null }]),
      );
      await edit({ title: "B" });

      const now = await opened.store.ledger.now();
      const changes = await captured();
      expect(changes).toMatchObject([
        { ...noted, operation: "update", oldRow: null, journal: null },
        { recordId: task, operation: "update", columns: [], origin: null },
        { recordId: task, operation: "update", columns: ["title"], origin: null },
      ]);
      for (const { changedAt } of changes) expect(changedAt).toBeLessThanOrEqual(now);
    });

    it("that move nothing mapped leave nothing: a moved card", async () => {
      await edit({ card_position: 5, updated_at: "2026-03-01T12:00:00Z" });
      await edit({ title: "A" });
      expect(await captured()).toEqual([]);
    });

    it("that differ only in case or in blanks are changes", async () => {
      await edit({ title: "a" });
      await edit({ title: "a " });
      expect(await captured()).toHaveLength(2);
    });

    it("that are refused leave nothing", async () => {
      await expect(edit({ title: null })).rejects.toThrow(/title/);
      await expect(opened.rows.insert("tasks", { title: "B", status: "no" })).rejects.toThrow();
      expect(await captured()).toEqual([]);
    });

    it("come in bursts, and each is there, oldest first", async () => {
      const burst = Array.from({ length: 250 }, (_, number) => ({ title: `many ${number}` }));
      const ids = await opened.rows.insert("tasks", ...burst);
      await edit({ title: "last" });
      const first = await opened.store.transaction((tx) => tx.changes.take(200));
      const rest = await captured();
      expect(first.slice(0, 200).map(({ recordId }) => recordId)).toEqual(ids.slice(0, 200));
      // The edit is of a transaction of its own, which may come before the rest of the burst.
      const all = [...first, ...rest].map(({ recordId }) => recordId);
      expect(all.filter((id) => id !== task)).toEqual(ids);
      expect(all.filter((id) => id === task)).toHaveLength(1);
    });

    it("may be taken by several drains at once, each by one", async () => {
      const burst = Array.from({ length: 90 }, () => ({ title: "many" }));
      await opened.rows.insert("tasks", ...burst);
      expect(await opened.store.ledger.dueNow()).toMatchObject({ changes: true });
      const drains = await Promise.all(
        [30, 30, 30, 30].map((limit) => opened.store.transaction((tx) => tx.changes.take(limit))),
      );
      const taken = [...drains.flat(), ...(await captured())].map((change) => change.recordId);
      expect(taken).toHaveLength(90);
      expect(new Set(taken).size).toBe(90);
      expect(await opened.store.ledger.dueNow()).toMatchObject({ changes: false });
    });

    it("are there again when the drain that took them fails", async () => {
      await edit({ title: "B" });
      await edit({ title: "C" });
      const failing = opened.store.transaction(async (tx) => {
        await tx.changes.take(1);
        throw new Error("never mind");
      });
      await expect(failing).rejects.toThrow("never mind");
      expect(await captured()).toHaveLength(2);
    });
  });

  describe("the app's writes, where it keeps a time of its own,", () => {
    beforeAll(async () => {
      opened = await open({ mappings: [stamped] });
    });
    beforeEach(aTask);

    it("have that time where it moved, and no time to come", async () => {
      await edit({ title: "B", updated_at: "2026-03-01T12:00:00.123456Z" });
      await edit({ title: "C" });
      await edit({ title: "D", updated_at: "2199-01-01T00:00:00Z" });
      const now = await opened.store.ledger.now();
      const [moved, still, toCome] = (await captured()).map(({ changedAt }) => changedAt);
      expect(moved).toBe(parseInstant("2026-03-01T12:00:00.123456Z"));
      expect(still).toBeGreaterThan(present(moved));
      expect(toCome).toBeLessThanOrEqual(now);
    });
  });
}
