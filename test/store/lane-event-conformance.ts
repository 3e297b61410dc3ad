/** Every store's duties for the events of a lane. */
import { beforeAll, describe, expect, it } from "vitest";
import type { TandemEvent } from "../../src/model/event.ts";
import { formatInstant, parseInstant } from "../../src/model/instant.ts";
import {
  after,
  anId,
  aQueued,
  decide,
  laneOf,
  type OpenedStore,
  present,
  readLane,
} from "./opened-store.ts";

export function laneEventsConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;

  describe("events of a lane", () => {
    beforeAll(async () => {
      opened = await open();
    });

    it("move to the ledger when they end, and stay there as they were", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "ended");
      await decide(store, id, (lane, now) => ({ live: [aQueued(lane, now)] }));
      const queued = present((await readLane(store, id)).live[0]);
      const ended: TandemEvent = {
        ...queued,
        state: "ignored",
        reason: "later_event",
        ignoredFor: { id: anId(), type: "events" },
        finishedAt: after(queued.createdAt, 1),
      };
      await decide(store, id, () => ({ live: [], ended: [ended] }));

      expect((await readLane(store, id)).live).toEqual([]);
      const [shown] = await store.ledger.events({ id: queued.id, limit: 2 });
      expect(shown).toEqual({ ...ended, resourceType: "issue", relation: "github_issues" });
    });

    it("may change places within one decision", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "swap");
      await decide(store, id, (lane, now) => ({
        live: [
          { ...aQueued(lane, now), state: "processing", leaseExpiresAt: now },
          aQueued(lane, now, { content: { title: "B" } }),
        ],
      }));
      const before = await readLane(store, id);
      await decide(store, id, (lane) => ({
        live: lane.live.map((event) =>
          event.state === "queued"
            ? { ...event, state: "processing" }
            : { ...event, state: "queued", leaseExpiresAt: null },
        ),
      }));
      const [first, second] = before.live;
      expect((await readLane(store, id)).live).toEqual([
        { ...first, state: "queued", leaseExpiresAt: null },
        { ...second, state: "processing" },
      ]);
    });

    it("make room for each other: one ends, one starts, a new one waits", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "relay");
      await decide(store, id, (lane, now) => ({
        live: [{ ...aQueued(lane, now), state: "processing" }, aQueued(lane, now)],
      }));
      await decide(store, id, (lane, now) => {
        const [first, second] = [present(lane.live[0]), present(lane.live[1])];
        return {
          live: [{ ...second, state: "processing" }, aQueued(lane, now)],
          ended: [{ ...first, state: "completed", finishedAt: now }],
        };
      });
      expect((await readLane(store, id)).live.map((event) => event.state)).toEqual([
        "processing",
        "queued",
      ]);
    });

    it.each([
      ["two are queued in one direction", "queued", "queued"],
      ["two are processing", "processing", "processing"],
    ] as const)("are refused where %s", async (_, one, other) => {
      const { store } = opened;
      const id = await laneOf(opened, `refused ${one}`);
      const saving = decide(store, id, (lane, now) => ({
        live: [one, other].map((state) => ({ ...aQueued(lane, now), state })),
      }));
      await expect(saving).rejects.toMatchObject({ code: "23505" });
    });

    it("may wait in both directions", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "both ways");
      await decide(store, id, (lane, now) => ({
        live: [
          aQueued(lane, now, { direction: "inbound" }),
          aQueued(lane, now, { direction: "outbound", source: "change" }),
        ],
      }));
      expect((await readLane(store, id)).live).toHaveLength(2);
    });

    it("may be far from now", async () => {
      const { store } = opened;
      const id = await laneOf(opened, "far");
      const far = parseInstant("2199-12-31T23:59:59.999999Z");
      await decide(store, id, (lane, now) => ({
        live: [aQueued(lane, now, { runAt: far, updatedAt: parseInstant("1970-01-01T00:00:00Z") })],
      }));
      const [event] = (await readLane(store, id)).live;
      expect(event?.runAt).toBe(far);
      expect(formatInstant(event?.updatedAt ?? far)).toBe("1970-01-01T00:00:00.000000Z");
    });
  });
}
