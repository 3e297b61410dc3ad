/** Every store's duties when workers claim lanes: due lanes only, one worker each, oldest first. */
import { beforeEach, describe, expect, it } from "vitest";
import type { TandemEvent } from "../../src/model/event.ts";
import type { ConnectionId, LaneId } from "../../src/model/ids.ts";
import type { Lane } from "../../src/model/lane.ts";
import type { StoreTransaction } from "../../src/store/store.ts";
import {
  aConnection,
  after,
  aQueued,
  decide,
  issueKey,
  laneOf,
  type OpenedStore,
  readLane,
} from "./opened-store.ts";

export function claimsConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;

  const due = (limit = 100, leftOut: readonly ConnectionId[] = []) =>
    opened.store.transaction(async (tx) => {
      const lanes = await tx.lockDueLanes(limit, leftOut);
      return lanes.map((lane) => lane.externalId);
    });

  /** A lane whose events are given by state, direction and seconds from now. */
  async function waiting(
    externalId: string,
    ...events: readonly (Pick<TandemEvent, "state" | "direction"> & { readonly in: number })[]
  ): Promise<LaneId> {
    const id = await laneOf(opened, externalId);
    await decide(opened.store, id, (lane, now) => ({
      live: events.map((event) => ({
        ...aQueued(lane, now, { direction: event.direction, runAt: after(now, event.in) }),
        state: event.state,
        leaseExpiresAt: event.state === "processing" ? after(now, event.in) : null,
      })),
    }));
    return id;
  }

  const queued = (direction: TandemEvent["direction"], seconds: number) =>
    ({ state: "queued", direction, in: seconds }) as const;

  describe("claims", () => {
    beforeEach(async () => {
      opened = await open();
    });

    it("take lanes that have an event due and nobody working on them, oldest first", async () => {
      await waiting("second", queued("inbound", -5));
      await waiting("first", queued("outbound", -10));
      await waiting("later", queued("inbound", 60));
      await waiting("busy", queued("inbound", -20), {
        state: "processing",
        direction: "outbound",
        in: 60,
      });
      await waiting("errored", { state: "errored", direction: "inbound", in: -30 });

      expect(await due()).toEqual(["first", "second"]);
      expect(await due(1)).toEqual(["first"]);
    });

    it("let inbound go first, whatever its time to run", async () => {
      await waiting("held up", queued("outbound", -10), queued("inbound", 60));
      const before = await opened.store.ledger.nextDue();
      expect(before.due).toBeGreaterThan(before.now);
      expect(await opened.store.ledger.dueNow()).toMatchObject({ events: false });
      await waiting("both due", queued("outbound", -10), queued("inbound", -1));
      expect(await due()).toEqual(["both due"]);
      expect(await opened.store.ledger.dueNow()).toMatchObject({ events: true, leases: false });
      const { now, due: next } = await opened.store.ledger.nextDue();
      expect(next).toBeLessThan(now);
    });

    it("never give one lane to two workers", async () => {
      const { store, connection, sessions } = opened;
      const numbers = Array.from({ length: 60 }, (_, index) => String(index));
      const ids = await store.transaction((tx) =>
        tx.ensureLanes(numbers.map((number) => issueKey(connection, number))),
      );
      await store.transaction(async (tx) => {
        const lanes = await tx.lockLanes(ids);
        await tx.saveLanes(lanes.map((lane) => withLive(lane, [aQueued(lane, tx.now)])));
      });

      // The first keeps its lanes locked until all others have had their turn, if the store allows that.
      let release = (): void => undefined;
      const others = new Promise<void>((resolve) => {
        release = resolve;
      });
      const first = store.transaction(async (tx) => {
        const taken = await claimIn(tx, 20);
        if (sessions === "many") await others;
        return taken;
      });
      const rest = await Promise.all(
        [20, 20, 20].map((limit) => store.transaction((tx) => claimIn(tx, limit))),
      );
      release();
      const taken = [await first, ...rest].flat();
      expect(new Set(taken).size).toBe(taken.length);
      taken.push(...(await store.transaction((tx) => claimIn(tx, 100))));
      expect([...taken].sort()).toEqual([...ids].sort());
    });

    it("find leases that have run out", async () => {
      const running = { state: "processing", direction: "inbound" } as const;
      const expired = await waiting("expired", { ...running, in: -1 });
      await waiting("running", { ...running, in: 60 });
      const found = await opened.store.transaction((tx) => tx.lockExpiredLanes(10));
      expect(found.map((lane) => lane.id)).toEqual([expired]);
      const { now, leaseDue } = await opened.store.ledger.nextDue();
      expect(leaseDue).toBeLessThan(now);
      expect(await opened.store.ledger.dueNow()).toMatchObject({ events: false, leases: true });
    });

    it("go through the lanes of a state in steps", async () => {
      const { store, connection } = opened;
      const errored = { state: "errored", direction: "inbound", in: 0 } as const;
      const first = await waiting("1", errored);
      await waiting("2", queued("inbound", 0));
      const third = await waiting("3", errored);
      const step = (behind?: LaneId) =>
        store.transaction(async (tx) =>
          (await tx.lockLanesInState(connection, "errored", 1, behind)).map((lane) => lane.id),
        );
      expect(await step()).toEqual([first]);
      expect(await step(first)).toEqual([third]);
      expect(await step(third)).toEqual([]);
    });

    it("wake the children of a parent, and nobody else", async () => {
      const { store } = opened;
      const parentId = await laneOf(opened, "parent");
      const children = ["child", "orphan", "of another", "patient"] as const;
      const reasons = {
        child: "awaiting_parent",
        orphan: "awaiting_parent",
        "of another": "awaiting_parent",
        patient: "retry",
      } as const;
      for (const name of children) {
        const id = await laneOf(opened, name);
        await decide(store, id, (lane, now) => ({
          parent:
            name === "orphan"
              ? null
              : { type: "issue", externalId: name === "of another" ? "someone" : "parent" },
          live: [aQueued(lane, now, { runAt: after(now, 60), reason: reasons[name] })],
        }));
      }
      expect(await due()).toEqual([]);
      const parent = await readLane(store, parentId);
      await store.transaction((tx) => tx.wakeChildren([parent]));
      expect((await due()).sort()).toEqual(["child", "orphan"]);
    });

    it("leave connections out, and find what stands behind theirs", async () => {
      const { store, connection } = opened;
      const other = await aConnection(store, "another");
      for (let place = 0; place < 30; place += 1) {
        await waiting(`first ${String(place)}`, queued("inbound", place - 100));
      }
      for (const [externalId, seconds] of Object.entries({ third: -9, second: -10, later: 60 })) {
        const id = await laneOf({ store, connection: other }, externalId);
        await decide(store, id, (lane, now) => ({
          live: [aQueued(lane, now, { runAt: after(now, seconds) })],
        }));
      }
      expect(await due(10, [connection])).toEqual(["second", "third"]);
      expect(await due(1, [connection])).toEqual(["second"]);
      expect(await due(2, [other])).toEqual(["first 0", "first 1"]);
      expect(await due(10, [other, connection])).toEqual([]);
      expect(await due(40)).toHaveLength(32);
    });

    it("are heard of by whoever listens", async () => {
      const { store } = opened;
      const heard: unknown[] = [];
      const stop = await store.onWork((work) => void heard.push(work));
      await waiting("news", queued("inbound", 0));
      await expect.poll(() => heard).toContain("events");
      expect(heard).not.toContain("deliveries");
      await stop();
    });
  });
}

function withLive(lane: Lane, live: readonly TandemEvent[]) {
  return { before: lane, after: { lane: { ...lane, live }, ended: [] } };
}

async function claimIn(tx: StoreTransaction, limit: number): Promise<readonly LaneId[]> {
  const lanes = await tx.lockDueLanes(limit);
  await tx.saveLanes(
    lanes.map((lane) =>
      withLive(
        lane,
        lane.live.map((event) => ({
          ...event,
          state: "processing",
          leaseExpiresAt: after(tx.now, 60),
        })),
      ),
    ),
  );
  return lanes.map((lane) => lane.id);
}
