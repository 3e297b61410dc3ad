/** Every store's duties for journals, for the app's own code, and for the positions of records. */
import { beforeAll, describe, expect, it } from "vitest";
import { formatInstant } from "../../src/model/instant.ts";
import type { AfterCommitMark } from "../../src/store/store.ts";
import {
  after,
  anId,
  aQueued,
  decide,
  laneOf,
  type OpenedStore,
  present,
  tasks,
} from "./opened-store.ts";

export function hooksConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;
  const fresh = async () => {
    opened = await open();
  };
  const captured = () => opened.store.transaction((tx) => tx.changes.take(1_000));
  const aTask = async (title: string) => present((await opened.rows.insert("tasks", { title }))[0]);

  describe("a journal", () => {
    beforeAll(fresh);

    it("has the values of its columns before and after, of the app's writes alone", async () => {
      const { store, rows } = opened;
      const columns = ["title", "card_position"];
      await store.migrate([tasks], [{ recordType: "tasks", key: "id", columns }]);
      const id = await aTask("A");
      await rows.update("tasks", id, { card_position: 5 });
      await rows.update("tasks", id, { markdown: "text" });
      await store.transaction((tx) => tx.records.update(tasks, id, { title: "ours" }, anId()));
      await rows.delete("tasks", id);

      const changes = await captured();
      const mapped = ["labels", "markdown", "project_id", "status", "title"];
      expect(changes.map((change) => change.columns)).toEqual([
        [...mapped, "card_position"],
        ["card_position"],
        ["markdown"],
        ["title"],
        [],
      ]);
      expect(changes.map(({ journal }) => journal)).toEqual([
        { title: { from: null, to: "A" }, card_position: { from: null, to: 0 } },
        { card_position: { from: 0, to: 5 } },
        {},
        null,
        { title: { from: "ours", to: null }, card_position: { from: 5, to: null } },
      ]);
    });

    it("is in the ledger beside the events of the record's lanes", async () => {
      const { store } = opened;
      await decide(store, await laneOf(opened, "1"), (lane, now) => ({
        recordId: "7",
        ended: [{ ...aQueued(lane, now), state: "duplicate", finishedAt: now }],
      }));
      const now = await store.ledger.now();
      const entry = {
        id: anId(),
        direction: "outbound",
        reason: "journaled",
        action: "upsert",
        recordType: "tasks",
        changes: [{ side: "record", field: "title", from: "A", to: "B" }],
        writtenAt: now,
        endedAt: after(now, 1),
      } as const;
      await store.transaction((tx) =>
        tx.appendJournal([
          { ...entry, recordId: "7" },
          { ...entry, id: anId(), recordId: "8" },
        ]),
      );
      const events = await store.ledger.events({ record: { type: "tasks", id: "7" }, limit: 10 });
      expect(events).toHaveLength(2);
      expect(events[0]).toMatchObject({
        id: entry.id,
        laneId: null,
        connectionId: null,
        resourceType: null,
        relation: null,
        direction: "outbound",
        state: "completed",
        reason: "journaled",
        changes: entry.changes,
        createdAt: entry.writtenAt,
        finishedAt: entry.endedAt,
      });
    });
  });

  describe("the app's own code", () => {
    beforeAll(fresh);

    it("writes under our mark, and what it throws undoes what it wrote and no more", async () => {
      const { store, rows } = opened;
      const [first, second] = [await aTask("A"), await aTask("B")];
      await captured();
      const origin = anId();
      await store.transaction(async ({ records }) => {
        await records.lend(origin, (sql) => opened.writeAs(sql, "tasks", first, { title: "lent" }));
        const failing = records.lend(anId(), async (sql) => {
          await opened.writeAs(sql, "tasks", second, { title: "half" });
          throw new Error("changed my mind");
        });
        await expect(failing).rejects.toThrow("changed my mind");
        await records.update(tasks, second, { title: "ours" }, origin);
      });
      expect(await rows.all("tasks")).toMatchObject([{ title: "lent" }, { title: "ours" }]);
      expect(await captured()).toMatchObject([
        { recordId: first, origin },
        { recordId: second, origin },
      ]);
    });

    it("is told what the table refuses, and may go on", async () => {
      const { store, rows } = opened;
      const id = await aTask("A");
      await store.transaction(async ({ records }) => {
        const refused = records.lend(anId(), (sql) =>
          opened.writeAs(sql, "tasks", id, { title: null }),
        );
        await expect(refused).rejects.toMatchObject({ code: "not_null_violated" });
        await records.lend(anId(), (sql) => opened.writeAs(sql, "tasks", id, { title: "B" }));
      });
      expect(await rows.all("tasks")).toContainEqual(expect.objectContaining({ id, title: "B" }));
    });
  });

  describe("hooks that follow a commit", () => {
    beforeAll(fresh);

    const mark: Omit<AfterCommitMark, "id" | "attempts"> = {
      integration: "github",
      resourceType: "issue",
      recordType: "tasks",
      recordId: "1",
      op: "delete",
      row: { id: "1", title: "A" },
      event: anId(),
    };
    const claim = (seconds: number, limit = 10) =>
      opened.store.transaction((tx) => tx.afterCommits.claim(limit, after(tx.now, seconds)));

    it("are noted with the transaction, and gone with it", async () => {
      const { store } = opened;
      const failing = store.transaction(async (tx) => {
        await tx.afterCommits.add(mark);
        throw new Error("never mind");
      });
      await expect(failing).rejects.toThrow("never mind");
      expect(await claim(60)).toEqual([]);
    });

    it("are given out once until their time, oldest first, and end when they are done", async () => {
      const { store } = opened;
      for (const recordId of ["1", "2", "3"]) {
        await store.transaction((tx) => tx.afterCommits.add({ ...mark, recordId }));
      }
      expect(await store.ledger.dueNow()).toMatchObject({ afterCommits: true });
      const first = await claim(60, 2);
      expect(first).toMatchObject([
        { ...mark, recordId: "1", attempts: 1 },
        { ...mark, recordId: "2", attempts: 1 },
      ]);
      expect(await claim(60)).toMatchObject([{ recordId: "3" }]);
      expect(await claim(60)).toEqual([]);
      expect(await store.ledger.dueNow()).toMatchObject({ afterCommits: false });

      const [again, done] = [present(first[0]), present(first[1])];
      await store.transaction(async (tx) => {
        await tx.afterCommits.again(again.id, after(tx.now, -1));
        await tx.afterCommits.done(done.id);
      });
      expect(await claim(60)).toEqual([{ ...again, attempts: 2 }]);
    });

    it("are given out one at a time for one record, in their order, however the first fares", async () => {
      const { store } = opened;
      for (const [recordId, op] of [
        ["11", "insert"],
        ["11", "update"],
        ["12", "insert"],
      ] as const) {
        await store.transaction((tx) => tx.afterCommits.add({ ...mark, recordId, op }));
      }
      const [first, other] = (await claim(60)).map((each) => present(each));
      expect(first).toMatchObject({ recordId: "11", op: "insert" });
      expect(other).toMatchObject({ recordId: "12", op: "insert" });
      expect(await claim(60)).toEqual([]);

      const { id } = present(first);
      await store.transaction((tx) => tx.afterCommits.again(id, after(tx.now, 60)));
      expect(await claim(60)).toEqual([]);
      await store.transaction((tx) => tx.afterCommits.again(id, after(tx.now, -1)));
      expect(await claim(60)).toMatchObject([{ id, attempts: 2 }]);
      await store.transaction((tx) => tx.afterCommits.done(id));
      expect(await claim(60)).toMatchObject([{ recordId: "11", op: "update" }]);
    });
  });

  it("records' standings tell pairings, conflicts and what is still to be drained", async () => {
    await fresh();
    const { store } = opened;
    const id = await aTask("A");
    const conflict = {
      field: "title",
      winner: "record",
      kept: "A",
      lost: "B",
      why: "both_changed",
    } as const;
    const finished: { at?: string; event?: string } = {};
    await decide(store, await laneOf(opened, "5"), (lane, now) => {
      const ended = aQueued(lane, now, { conflicts: [conflict] });
      Object.assign(finished, { at: formatInstant(now), event: ended.id });
      return {
        recordId: id,
        display: { url: "https://example.org/5" },
        live: [aQueued(lane, now, { direction: "outbound" })],
        ended: [{ ...ended, state: "completed", reason: "agreed", finishedAt: now }],
      };
    });

    const { pairings, undrained } = await store.ledger.standings("tasks", [id, "987"]);
    expect([...undrained]).toEqual([id]);
    expect(pairings).toMatchObject([
      {
        recordId: id,
        integration: "github",
        resourceType: "issue",
        externalId: "5",
        url: "https://example.org/5",
        tombstoned: false,
        unknownOutcome: false,
        lastReason: "agreed",
        live: [{ state: "queued", direction: "outbound", error: null }],
        conflicts: [{ ...conflict, event: finished.event }],
      },
    ]);
    const [told] = pairings[0]?.conflicts ?? [];
    expect(Date.parse(told?.at ?? "")).toBe(Date.parse(finished.at ?? ""));

    await captured();
    expect((await store.ledger.standings("tasks", [id])).undrained.size).toBe(0);
  });
}
