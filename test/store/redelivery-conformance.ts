/** Every store's duties for providers' logs of deliveries, and for missed deliveries. */
import { beforeAll, describe, expect, it } from "vitest";
import { addMillis, type Instant } from "../../src/model/instant.ts";
import type { MissedDelivery } from "../../src/model/missed-delivery.ts";
import { deliveryId, uuidv7 } from "../../src/model/ids.ts";
import { seededRandom } from "../../src/testing/random.ts";
import type { OpenedStore } from "./opened-store.ts";

const DAY = 24 * 3_600_000;

export function redeliveriesConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;
  let now: Instant;

  const aLog = (name: string) => ({
    integration: "github",
    name,
    startAt: now,
    everyMillis: 0,
    leaseMillis: 60_000,
  });
  const aMissed = (deliveryKey: string, given: Partial<MissedDelivery> = {}): MissedDelivery => ({
    deliveryKey,
    attemptId: "9007199254740993",
    event: "issues",
    status: 503,
    failedAt: now,
    asks: 0,
    runAt: now,
    state: "waiting",
    ...given,
  });

  describe("logs of deliveries", () => {
    beforeAll(async () => {
      opened = await open();
      now = await opened.store.ledger.now();
    });

    it("have one turn at a time, the first after the first sight", async () => {
      const { redeliveries } = opened.store;
      expect(await redeliveries.takeTurn(aLog("turns"))).toBeNull();
      const turns = await Promise.all([1, 2, 3].map(() => redeliveries.takeTurn(aLog("turns"))));
      const [turn, ...others] = turns.filter((each) => each !== null);
      expect(others).toEqual([]);
      expect(turn?.position).toEqual({ seenTo: now, walk: null });
      expect(turn?.now).toBeGreaterThanOrEqual(now);

      await redeliveries.nextLook(turn?.logId ?? "", now);
      expect(await redeliveries.takeTurn(aLog("turns"))).toMatchObject({ logId: turn?.logId });
      expect(await redeliveries.takeTurn(aLog("others"))).toBeNull();
    });

    it("keep what was missed and where a reading goes on, all or nothing", async () => {
      const { redeliveries } = opened.store;
      await redeliveries.takeTurn(aLog("kept"));
      const logId = (await redeliveries.takeTurn(aLog("kept")))?.logId ?? "";
      const [late, early] = [aMissed("late"), aMissed("early", { failedAt: addMillis(now, -1) })];
      const begunAt = addMillis(now, 1);
      const position = { seenTo: now, walk: { cursor: "v1_7", begunAt } };
      await redeliveries.note(logId, { position, missed: [late, early], arrived: [] });
      const both = ["late", "early"];
      expect(await redeliveries.missed(logId, both)).toEqual([early, late]);
      expect(await redeliveries.missed(logId, ["early", "another"])).toEqual([early]);
      expect(await redeliveries.missed(logId, [])).toEqual([]);

      const asked = { ...late, asks: 1, attemptId: "2", status: 401, runAt: begunAt };
      await redeliveries.save(logId, [asked]);
      await redeliveries.nextLook(logId, now);
      expect(await redeliveries.takeTurn(aLog("kept"))).toMatchObject({ position });
      const through = { seenTo: begunAt, walk: null };
      await redeliveries.note(logId, { position: through, missed: [], arrived: ["early"] });
      expect(await redeliveries.missed(logId, both)).toEqual([asked]);
      await redeliveries.nextLook(logId, now);
      expect(await redeliveries.takeTurn(aLog("kept"))).toMatchObject({ position: through });
      await redeliveries.note(logId, { position: through, missed: [], arrived: ["late"] });
    });

    it("tell what is due, longest first, and nothing that waits, was given up or has come", async () => {
      const { redeliveries } = opened.store;
      const takeTurn = async (name: string) => {
        await redeliveries.takeTurn(aLog(name));
        return (await redeliveries.takeTurn(aLog(name)))?.logId ?? "";
      };
      const [logId, another] = [await takeTurn("due"), await takeTurn("another")];
      const due = [
        aMissed("first", { runAt: addMillis(now, -2) }),
        aMissed("a second", { runAt: addMillis(now, -1) }),
        aMissed("second", { runAt: addMillis(now, -1) }),
        aMissed("third"),
      ];
      const others = [
        aMissed("early", { runAt: addMillis(now, 1) }),
        aMissed("over", { state: "given_up" }),
      ];
      await redeliveries.save(logId, [...others, ...[...due].reverse()]);
      await redeliveries.save(another, [aMissed("another's")]);
      expect(await redeliveries.due(logId, now, 10)).toEqual(due);
      expect(await redeliveries.due(logId, now, 2)).toEqual(due.slice(0, 2));
      await redeliveries.arrived(logId, ["first", "second", "never missed"]);
      expect(await redeliveries.due(logId, now, 10)).toEqual([due[1], due[3]]);
      await redeliveries.arrived(logId, ["a second", "third", "early", "over"]);
      await redeliveries.arrived(another, ["another's"]);
      expect(await redeliveries.due(another, now, 10)).toEqual([]);
    });

    it("count what waits and what is given up, which is forgotten after a week", async () => {
      const { redeliveries } = opened.store;
      await redeliveries.takeTurn(aLog("counted"));
      const logId = (await redeliveries.takeTurn(aLog("counted")))?.logId ?? "";
      const position = { seenTo: now, walk: null };
      const missed = [
        aMissed("waits"),
        aMissed("over", { state: "given_up" }),
        aMissed("long over", { state: "given_up", failedAt: addMillis(now, -8 * DAY) }),
      ];
      await redeliveries.note(logId, { position, missed, arrived: [] });
      expect(await redeliveries.counts()).toEqual({ waiting: 1, given_up: 2 });
      await redeliveries.note(logId, { position, missed: [], arrived: [] });
      expect(await redeliveries.counts()).toEqual({ waiting: 1, given_up: 1 });
    });

    it("count nothing of a log that nobody reads any more", async () => {
      const { redeliveries } = opened.store;
      await redeliveries.takeTurn(aLog("left"));
      const logId = (await redeliveries.takeTurn(aLog("left")))?.logId ?? "";
      const before = await redeliveries.counts();
      await redeliveries.save(logId, [aMissed("left waiting")]);
      const read = { ...before, waiting: before.waiting + 1 };
      expect(await redeliveries.counts()).toEqual(read);
      await redeliveries.nextLook(logId, addMillis(now, -DAY / 2));
      expect(await redeliveries.counts()).toEqual(read);
      await redeliveries.nextLook(logId, addMillis(now, -DAY - 60_000));
      expect(await redeliveries.counts()).toEqual(before);
    });

    it("are held against what was received, of the same integration", async () => {
      const { deliveries } = opened.store;
      const id = deliveryId(uuidv7(now, seededRandom(11)));
      const delivery = { id, integration: "github", deliveryKey: "here", event: "issues" };
      await deliveries.receive([{ ...delivery, payload: "{}", verifiedBy: null }]);
      expect(await deliveries.received("github", ["here", "lost"])).toEqual(new Set(["here"]));
      expect(await deliveries.received("redmine", ["here"])).toEqual(new Set());
      expect(await deliveries.received("github", [])).toEqual(new Set());
    });
  });
}
