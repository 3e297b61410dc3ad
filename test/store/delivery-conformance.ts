/** Every store's duties for deliveries, accounts, connections and the ledger. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  type AccountId,
  accountId,
  type DeliveryId,
  deliveryId,
  eventIds,
} from "../../src/model/ids.ts";
import { parseInstant } from "../../src/model/instant.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { after, aQueued, decide, laneOf, type OpenedStore, present } from "./opened-store.ts";

const nextId = eventIds(seededRandom(11));
let clock = parseInstant("2026-03-02T09:00:00Z");

/** As a receiver gives them: in the order of arrival. */
function freshId(): DeliveryId {
  clock = after(clock, 0.001);
  return deliveryId(nextId(clock));
}

function aDelivery(
  deliveryKey: string,
  payload = '{"action":"opened"}',
  verifiedBy: readonly AccountId[] | null = null,
) {
  const sent = { integration: "github", event: "issues", payload, verifiedBy };
  return { ...sent, id: freshId(), deliveryKey };
}

const boom = {
  code: "boom",
  message: "it broke",
  hint: "mend it",
  retryable: true,
  httpStatus: null,
  requestId: null,
};

export function deliveriesConformance(open: () => Promise<OpenedStore>): void {
  describe("deliveries", () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open();
    });

    it("are locked up to so many bytes, and one at least", async () => {
      const own = await open();
      const deliveries = ["a", "b", "c"].map((key) => aDelivery(key, '"ten bytes"'));
      await own.store.deliveries.receive(deliveries);
      const keys = async (bytes?: number) => {
        const locked = await own.store.transaction((tx) => tx.pendingDeliveries.lock(10, bytes));
        return locked.map(({ deliveryKey }) => deliveryKey);
      };
      expect(await keys(1)).toEqual(["a"]);
      expect(await keys(12)).toEqual(["a", "b"]);
      expect(await keys()).toEqual(["a", "b", "c"]);
    });

    it("are stored once, told of, and counted when they come again, within a batch too", async () => {
      const { store } = opened;
      const first = aDelivery("one");
      const again = aDelivery("one");
      const other = aDelivery("two");
      const heard: unknown[] = [];
      const stop = await store.onWork((work) => void heard.push(work));
      expect(await store.deliveries.receive([first, again, other])).toEqual([
        { id: first.id, seenBefore: false, verifiedBy: null },
        { id: first.id, seenBefore: true, verifiedBy: null },
        { id: other.id, seenBefore: false, verifiedBy: null },
      ]);
      await expect.poll(() => heard).toEqual(["deliveries"]);
      await stop();
      expect(await store.deliveries.receive([aDelivery("one")])).toEqual([
        { id: first.id, seenBefore: true, verifiedBy: null },
      ]);
      expect(await opened.deliveries()).toMatchObject([
        { deliveryKey: "one", timesReceived: 3 },
        { deliveryKey: "two", timesReceived: 1 },
      ]);
      expect(await store.deliveries.receive([])).toEqual([]);
    });

    it("keep whose secret signed them first, also where they are stored with what became of them", async () => {
      const { store } = opened;
      const [one, two] = [accountId("1"), accountId("22")];
      const shared = aDelivery("shared", "{}", [one, two]);
      const nobodys = aDelivery("nobody's", "{}", []);
      await store.deliveries.receive([shared, nobodys]);
      const taken = aDelivery("taken", "{}", [two]);
      await store.transaction((tx) =>
        tx.pendingDeliveries.add([{ ...taken, state: "received", action: null, reason: null }]),
      );
      const again = [shared, nobodys, taken].map(({ deliveryKey, payload }) =>
        aDelivery(deliveryKey, payload, [one]),
      );
      expect(await store.deliveries.receive(again)).toEqual([
        { id: shared.id, seenBefore: true, verifiedBy: [one, two] },
        { id: nobodys.id, seenBefore: true, verifiedBy: [] },
        { id: taken.id, seenBefore: true, verifiedBy: [two] },
      ]);
      await store.transaction(async (tx) => {
        const pending = await tx.pendingDeliveries.lock(100);
        const kept = pending.filter(({ verifiedBy }) => verifiedBy !== null);
        expect(kept.map(({ id, verifiedBy }) => [id, verifiedBy])).toEqual([
          [shared.id, [one, two]],
          [nobodys.id, []],
          [taken.id, [two]],
        ]);
        await tx.pendingDeliveries.translated(kept.map(({ id }) => ({ id, action: null })));
      });
    });

    it("come in at once, by many, in any order", async () => {
      const { store } = opened;
      const keys = Array.from({ length: 30 }, (_, index) => `crowd ${index}`);
      const batches = [keys, [...keys].reverse(), keys].map((batch) =>
        batch.map((key) => aDelivery(key, "x".repeat(10_000))),
      );
      const answers = await Promise.all(batches.map((batch) => store.deliveries.receive(batch)));
      expect(answers.flat().filter((answer) => !answer.seenBefore)).toHaveLength(keys.length);
      expect(new Set(answers.flat().map((answer) => answer.id)).size).toBe(keys.length);
    });

    it("are kept in any size of batch, with any text", async () => {
      const { store } = opened;
      const many = Array.from({ length: 2_500 }, (_, index) => aDelivery(`many ${index}`));
      expect(await store.deliveries.receive(many)).toHaveLength(2_500);
      const odd = aDelivery("odd", 'a\0b "quoted" \\ 😀');
      await store.deliveries.receive([odd]);
      const kept = (await opened.deliveries()).find(({ deliveryKey }) => deliveryKey === "odd");
      expect(kept?.payload).toBe('a\uFFFDb "quoted" \\ 😀');
    });

    it("are translated, set aside, or tried again later; at once if they come again", async () => {
      const opened = await open();
      const { store } = opened;
      const [good, dull, bad] = [aDelivery("good"), aDelivery("dull"), aDelivery("bad")];
      expect(await store.deliveries.waiting()).toEqual({ received: 0, failed: 0 });
      await store.deliveries.receive([good, dull, bad]);
      expect(await store.deliveries.waiting()).toEqual({ received: 3, failed: 0 });
      await store.transaction(async (tx) => {
        const pending = await tx.pendingDeliveries.lock(10);
        expect(pending).toEqual([good, dull, bad].map((each) => ({ ...each, attempts: 0 })));
        await tx.pendingDeliveries.translated([{ id: good.id, action: "opened" }]);
        await tx.pendingDeliveries.irrelevant(dull.id, null, "no_connection");
        await tx.pendingDeliveries.failed(bad.id, boom, after(tx.now, 60));
      });
      expect(await store.deliveries.counts()).toEqual({
        received: 0,
        translated: 1,
        irrelevant: 1,
        failed: 1,
      });
      expect(await store.deliveries.waiting()).toEqual({ received: 0, failed: 1 });
      const kept = await opened.deliveries();
      expect(kept.find(({ deliveryKey }) => deliveryKey === "bad")).toMatchObject({ error: boom });
      const { now, deliveryDue } = await store.ledger.nextDue();
      expect(deliveryDue).toBeGreaterThan(now);
      expect(await store.ledger.dueNow()).toMatchObject({ deliveries: false });
      const pending = () => store.transaction((tx) => tx.pendingDeliveries.lock(10));
      expect(await pending()).toEqual([]);

      await store.deliveries.receive([aDelivery("good"), aDelivery("bad")]);
      expect(await store.ledger.dueNow()).toMatchObject({ deliveries: true });
      expect(await pending()).toEqual([{ ...bad, attempts: 1 }]);
    });

    it("are stored, however many, though something that was asked behind them is undone", async () => {
      const { store } = opened;
      const added = Array.from({ length: 1_500 }, (_, index) => ({
        ...aDelivery(`added ${String(index)}`),
        ...({ state: "received", action: null, reason: null } as const),
      }));
      await store.transaction(async (tx) => {
        const adding = tx.pendingDeliveries.add(added);
        const refused = tx.records.attempt(async () => {
          for (let asked = 0; asked < 5; asked += 1) await tx.changes.oldest();
          throw new Error("refused");
        });
        await expect(refused).rejects.toThrow("refused");
        await adding;
      });
      const keys = added.map(({ deliveryKey }) => deliveryKey);
      expect((await store.deliveries.received("github", keys)).size).toBe(added.length);
    });

    it("tell the lanes whose events of theirs are errored", async () => {
      const { store } = opened;
      const mine = freshId();
      const lane = await laneOf(opened, "errored by delivery");
      await decide(store, lane, (before, now) => ({
        live: [
          aQueued(before, now),
          { ...aQueued(before, now, { deliveryId: mine }), state: "errored" },
        ],
      }));
      await store.transaction(async (tx) => {
        expect(await tx.pendingDeliveries.erroredLanes(mine)).toEqual([lane]);
        expect(await tx.pendingDeliveries.erroredLanes(freshId())).toEqual([]);
      });
    });
  });

  describe("accounts and connections", () => {
    it("are saved once by name and changed field by field", async () => {
      const { store, connection } = await open();
      const { directory } = store;
      const at = parseInstant("2026-03-01T12:00:00.123456Z");
      const account = present((await directory.accounts())[0]);
      await directory.updateAccount(account.id, {
        state: "paused",
        reason: "rate limit",
        pausedUntil: at,
        clockOffset: -1_500,
        identity: { id: "900", login: "tandem[bot]" },
      });
      await directory.saveAccount({ ...account, credentials: { token: { env: "T" } } });
      expect(await directory.accounts()).toEqual([
        {
          ...account,
          credentials: { token: { env: "T" } },
          state: "paused",
          reason: "rate limit",
          pausedUntil: at,
          clockOffset: -1_500,
          identity: { id: "900", login: "tandem[bot]" },
        },
      ]);
      await directory.updateAccount(account.id, {
        state: "active",
        reason: null,
        pausedUntil: null,
      });
      expect(await directory.accounts()).toMatchObject([
        { state: "active", reason: null, pausedUntil: null, clockOffset: -1_500 },
      ]);

      await directory.updateConnection(connection, {
        inbound: false,
        highWater: { issue: at },
        etags: { issue: 'W/"1"' },
        polledAt: at,
        polledWellAt: at,
        pollError: "it failed",
        accessAskedAt: at,
        untrackedRecords: 2,
      });
      await directory.updateConnection(connection, {});
      expect(await directory.connections()).toEqual([
        {
          id: connection,
          accountId: account.id,
          integration: "github",
          containerId: "1296269",
          containerName: "acme/site",
          scope: "1",
          inbound: false,
          outbound: true,
          pausedReason: null,
          highWater: { issue: at },
          etags: { issue: 'W/"1"' },
          polledAt: at,
          polledWellAt: at,
          pollError: "it failed",
          sweptAt: null,
          localSweptAt: null,
          accessAskedAt: at,
          untrackedRecords: 2,
          pairing: [],
        },
      ]);
    });
  });

  describe("the ledger", () => {
    it("shows events newest first, by any of their marks, page by page", async () => {
      const opened = await open();
      const { store, connection } = opened;
      const lane = await laneOf(opened, "shown");
      await decide(store, lane, (before, now) => ({
        recordId: "12",
        live: [aQueued(before, now), aQueued(before, now, { direction: "outbound" })],
        ended: [{ ...aQueued(before, now), state: "duplicate", finishedAt: now }],
      }));
      await laneOf(opened, "silent");

      const all = await store.ledger.events({ limit: 10 });
      expect(all.map((event) => event.id)).toEqual(
        all
          .map((event) => event.id)
          .sort()
          .reverse(),
      );
      const ids = async (query: Partial<Parameters<typeof store.ledger.events>[0]>) =>
        (await store.ledger.events({ limit: 10, ...query })).map((event) => event.id);
      const everything = all.map((event) => event.id);
      expect(everything).toHaveLength(3);
      expect(await ids({ record: { type: "tasks", id: "12" } })).toEqual(everything);
      expect(await ids({ record: { type: "tasks", id: "13" } })).toEqual([]);
      expect(await ids({ record: { type: "notes", id: "12" } })).toEqual([]);
      expect(await ids({ laneId: lane, connectionId: connection })).toEqual(everything);
      expect(await ids({ state: "duplicate" })).toEqual([everything[0]]);
      expect(await ids({ direction: "outbound", state: "queued" })).toEqual([everything[1]]);
      expect(await ids({ limit: 1 })).toEqual([everything[0]]);
      expect(await ids({ limit: 1, before: present(everything[0]) })).toEqual([everything[1]]);
      expect(await store.ledger.counts()).toEqual({
        live: { queued: 2, processing: 0, errored: 0, disabled: 0 },
        undrained: 0,
      });
      expect(await store.ledger.lanesOfRecord("tasks", "12")).toMatchObject([
        { id: lane, live: [{}, {}] },
      ]);
    });
  });
}
