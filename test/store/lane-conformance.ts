/** Every store's duties for lanes: make them once, give them out once, keep all of them. */
import { beforeAll, describe, expect, it } from "vitest";
import type { TandemEvent } from "../../src/model/event.ts";
import { deliveryId } from "../../src/model/ids.ts";
import { instantFromMicros, parseInstant } from "../../src/model/instant.ts";
import type { Attempt, Lane } from "../../src/model/lane.ts";
import { recordDeleted, resourceDeleted } from "../../src/model/tombstone.ts";
import {
  aConnection,
  anId,
  aQueued,
  decide,
  decideIn,
  issueKey,
  laneOf,
  type OpenedStore,
  present,
  readLane,
} from "./opened-store.ts";
import type { LaneSummary } from "../../src/store/store.ts";
import { outOfReach } from "../../src/engine/lane/tombstone.ts";

export function lanesConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;

  describe("lanes", () => {
    beforeAll(async () => {
      opened = await open();
    });

    it("are made once, however many ask for them at once", async () => {
      const { store, connection } = opened;
      const numbers = Array.from({ length: 40 }, (_, index) => String(1000 + index));
      const orders = [numbers, [...numbers].reverse(), numbers, [...numbers].reverse()];

      const answers = await Promise.all(
        orders.map((order) =>
          store.transaction((tx) => tx.ensureLanes(order.map((n) => issueKey(connection, n)))),
        ),
      );

      const [first, second, third, fourth] = answers;
      expect(new Set(first).size).toBe(numbers.length);
      expect(third).toEqual(first);
      expect([...present(second)].reverse()).toEqual(first);
      expect(fourth).toEqual(second);
    });

    it("give one id for keys that name one lane", async () => {
      const { store, connection } = opened;
      const key = issueKey(connection, "twice");
      const [first, second] = await store.transaction((tx) => tx.ensureLanes([key, key]));
      expect(first).toBeDefined();
      expect(second).toBe(first);
    });

    it("are of a resource or a record, and not of neither", async () => {
      const { store, connection } = opened;
      const key = { ...issueKey(connection, ""), externalId: null, recordId: null };
      await expect(store.transaction((tx) => tx.ensureLanes([key]))).rejects.toThrow(
        "a lane is identified by a resource or a record",
      );
    });

    it("are found for a record while it lives, and recreated when it was deleted", async () => {
      const { store, connection } = opened;
      const key = { ...issueKey(connection, ""), externalId: null, recordId: "77" };
      const [made] = await store.transaction((tx) => tx.ensureLanes([key]));
      const [found] = await store.transaction((tx) => tx.ensureLanes([key]));
      expect(found).toBe(made);

      await decide(store, present(made), (_, now) => ({ tombstone: recordDeleted(anId(), now) }));
      expect(
        await store.transaction((tx) =>
          tx.findLanes({ kind: "of_records", recordType: "tasks", recordIds: ["77"] }),
        ),
      ).toEqual([]);
      const [next] = await store.transaction((tx) => tx.ensureLanes([key]));
      expect(next).not.toBe(made);
    });

    it("are found by resource, by token and by what is bound", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "found");
      const [bound, intended] = await store.transaction((tx) =>
        tx.ensureLanes([
          issueKey(connection, "5"),
          { ...issueKey(connection, ""), externalId: null, recordId: "6" },
        ]),
      );
      await decide(store, present(intended), (_, now) => ({
        intent: { token: "t0ken", since: now, tokenless: false },
      }));

      await store.transaction(async (tx) => {
        const locked = await tx.lockLanes([present(bound), present(intended)]);
        const [lane, other] = [present(locked[0]), present(locked[1])];
        expect(lane).toMatchObject({ id: bound, externalId: "5", recordId: null, tombstone: null });
        expect(other).toMatchObject({ id: intended, recordId: "6", intent: { token: "t0ken" } });
        expect(
          await tx.findLanes({
            kind: "of_resources",
            connectionId: connection,
            resourceType: "issue",
            externalIds: ["4", "5"],
          }),
        ).toEqual([summaryOf(lane)]);
        expect(
          await tx.findLanes({
            kind: "of_tokens",
            connectionId: connection,
            resourceType: "issue",
            tokens: ["t0ken", "other"],
          }),
        ).toEqual([summaryOf(other)]);
        expect(
          await tx.findLanes({ kind: "of_records", recordType: "tasks", recordIds: ["6"] }),
        ).toEqual([summaryOf(other)]);
        expect(
          await tx.findLanes({
            kind: "with_resource",
            connectionId: connection,
            resourceType: "issue",
            after: null,
            limit: 10,
          }),
        ).toEqual([summaryOf(lane)]);
        expect(
          await tx.findLanes({
            kind: "with_resource",
            connectionId: connection,
            resourceType: "issue",
            after: present(bound),
            limit: 10,
          }),
        ).toEqual([]);
      });
    });

    it("are found below another resource while they are neither paired nor ended", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "above");
      const elsewhere = await aConnection(store, "above as well");
      const key = (of: typeof connection, externalId: string, resourceType = "issue_comment") => ({
        ...issueKey(of, externalId),
        resourceType,
      });
      const made = await store.transaction((tx) =>
        tx.ensureLanes([
          key(connection, "1", "issue"),
          ...["10", "11", "12", "13"].map((id) => key(connection, id)),
          key(elsewhere, "10"),
        ]),
      );
      const [above, unpaired, paired, ended, other, foreign] = made.map(present);
      const below = (externalId: string) => ({ parent: { type: "issue", externalId } });
      await decide(store, present(unpaired), () => below("1"));
      await decide(store, present(paired), () => ({ ...below("1"), recordId: "below" }));
      await decide(store, present(ended), (_, now) => ({
        ...below("1"),
        tombstone: resourceDeleted(anId(), now),
      }));
      await decide(store, present(other), () => below("2"));
      await decide(store, present(foreign), () => below("1"));

      await store.transaction(async (tx) => {
        expect(
          await tx.findLanes({ kind: "unpaired_children", parents: [present(above)] }),
        ).toMatchObject([{ id: unpaired }]);
        expect(
          await tx.findLanes({ kind: "unpaired_children", parents: [present(other)] }),
        ).toEqual([]);
      });
    });

    it("come back as they were saved, to the microsecond", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "full");
      const at = parseInstant("2026-03-01T12:00:00.123456Z");
      const attempt: Attempt = {
        event: anId(),
        kind: "patch",
        values: { title: "L", labels: ["a", "b"] },
        base: { title: "A" },
        clockAt: at,
        sentAt: instantFromMicros(at + 1),
        epoch: 3,
      };
      const full: Partial<Lane> = {
        recordId: "9007199254740993",
        parent: { type: "milestone", externalId: "9007199254740995" },
        clock: { at, event: anId() },
        known: { content: { title: "K" }, digest: "d", at, event: anId(), lost: true },
        tombstone: outOfReach(
          { ...recordDeleted(anId(), at), record: "with_parent" },
          "9007199254740993/1",
        ),
        copy: { title: "C", author: { id: "1", login: "ada" }, body: "a\nb", gone: null },
        display: { url: "https://example.org/1", number: "1" },
        base: { title: "B", nested: { deep: [1, 2.5, true] } },
        recordChangedAt: { title: instantFromMicros(at + 1) },
        attempt,
        unanswered: [attempt, { ...attempt, clockAt: null, kind: "create" }],
        lastSent: attempt,
        intent: { token: "full", since: at, tokenless: true },
        awaitingIntent: at,
        flips: {
          title: [
            { side: "record", digest: "d", at },
            { side: "resource", digest: "e", at: instantFromMicros(at + 1) },
          ],
        },
        moved: { connection: opened.connection, externalId: "9007199254740997" },
        archivedAs: "2026-03-01 12:00:00.123456+00",
        returned: anId(),
        disabled: { cause: "restored", why: "a person said so" },
        epoch: 12,
      };
      const before = await readLane(store, id);
      const event: TandemEvent = {
        ...aQueued({ ...before, ...full }, at),
        state: "processing",
        reason: "being_processed",
        updatedAt: instantFromMicros(at + 2),
        deliveryId: deliveryId("0196ffff-0000-7000-8000-000000000001"),
        content: { title: "E" },
        digest: "e",
        changes: [{ side: "record", field: "title", from: "A", to: "E" }],
        conflicts: [
          { field: "title", winner: "record", kept: "A", lost: "E", why: "both_changed" },
        ],
        error: {
          code: "boom",
          message: "m",
          hint: "h",
          retryable: true,
          httpStatus: 502,
          requestId: "r",
        },
        attempts: 3,
        leaseExpiresAt: instantFromMicros(at + 3),
        epoch: 12,
        worker: "w",
        reread: true,
        deadline: instantFromMicros(at + 4),
        startedAt: instantFromMicros(at + 5),
      };
      await decide(store, id, () => ({ ...full, live: [event] }));
      expect(await readLane(store, id)).toEqual({ ...before, ...full, live: [event] });

      const nothing: Lane = { ...before, live: [] };
      await decide(store, id, () => nothing);
      expect(await readLane(store, id)).toEqual(nothing);
    });

    it("keep what Postgres cannot: NUL and lone surrogates become U+FFFD", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "odd text");
      await decide(store, id, () => ({ display: { title: "a\0b\uD800c \\u0000 😀" } }));
      expect((await readLane(store, id)).display).toEqual({
        title: "a\uFFFDb\uFFFDc \\u0000 😀",
      });
    });

    it("are refused unless this transaction holds them", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "not held");
      const before = await readLane(store, id);
      const saving = store.transaction((tx) =>
        tx.saveLanes([{ before, after: { lane: { ...before, epoch: 1 }, ended: [] } }]),
      );
      await expect(saving).rejects.toThrow(
        `lane ${id} is saved without being locked in this transaction`,
      );
    });

    it("that are switched off are listed, the first of them, and counted", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "switched off");
      const ids = await store.transaction((tx) =>
        tx.ensureLanes(["1", "2", "3"].map((number) => issueKey(connection, number))),
      );
      const before = await store.ledger.disabledPairings(0);
      expect(before.pairings).toEqual([]);
      for (const id of ids)
        await decide(store, id, () => ({ disabled: { cause: "quarantined", why: `why ${id}` } }));
      await decide(store, present(ids[1]), () => ({ disabled: null, recordId: "8" }));

      const { count, pairings } = await store.ledger.disabledPairings(1_000);
      expect(count).toBe(before.count + 2);
      expect(pairings.filter(({ connectionId }) => connectionId === connection)).toEqual([
        {
          laneId: ids[0],
          connectionId: connection,
          resourceType: "issue",
          externalId: "1",
          recordType: "tasks",
          recordId: null,
          cause: "quarantined",
          why: `why ${present(ids[0])}`,
        },
        expect.objectContaining({ laneId: ids[2] }),
      ]);
    });

    it("roll back with the transaction", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "rolled back");
      const failing = store.transaction(async (tx) => {
        await decideIn(tx, id, (lane, now) => ({ epoch: 5, live: [aQueued(lane, now)] }));
        throw new Error("never mind");
      });
      await expect(failing).rejects.toThrow("never mind");
      expect(await readLane(store, id)).toMatchObject({ epoch: 0, live: [] });
    });
  });
}

/** The part of a locked lane that a query finds too. */
function summaryOf(lane: Lane): LaneSummary {
  const { id, connectionId, resourceType, recordType, externalId, recordId } = lane;
  const { tombstone, moved, intent } = lane;
  return {
    ...{ id, connectionId, resourceType, recordType, externalId, recordId },
    ...{ tombstone, moved, intent },
  };
}
