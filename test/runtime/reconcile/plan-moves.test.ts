/** A resource that a sweep misses is no deletion if its parent was moved: the parent's lanes tell. */
import { describe, expect, it } from "vitest";
import type { Lane } from "../../../src/model/lane.ts";
import type { ResourceEnd } from "../../../src/model/tombstone.ts";
import { hasMovedWithParent } from "../../../src/runtime/reconcile/plan-moves.ts";
import { anId, decide, laneOf, openMemoryStore, readLane } from "../../store/opened-store.ts";

const NONE: ReadonlySet<string> = new Set();

describe("a child that is missing has moved with its parent", () => {
  /** The lane of issue 1, ended so, and whether a child below it counts as moved. */
  async function hasMoved(
    end: ResourceEnd | ((place: Pick<Lane, "connectionId">) => ResourceEnd) | null,
    movedParents = NONE,
  ): Promise<boolean> {
    const opened = await openMemoryStore();
    const { store } = opened;
    const above = await laneOf(opened, "1");
    await laneOf(opened, "2");
    await decide(store, above, (lane, now) => {
      const resource = typeof end === "function" ? end(lane) : end;
      return { tombstone: resource && { event: anId(), at: now, record: "present", resource } };
    });
    const parent = { type: "issue", externalId: "1" };
    const child: Lane = { ...(await readLane(store, above)), parent };
    return store.transaction((tx) => hasMovedWithParent(tx, child, movedParents));
  }

  const movedOn = (externalId: string) => (place: Pick<Lane, "connectionId">) => ({
    movedOn: { connection: place.connectionId, externalId },
  });

  it("if the parent is out of reach", async () => {
    expect(await hasMoved({ outOfReach: "11/7" })).toBe(true);
  });

  it("if the parent was left behind, and what it moved on to lives or is not known", async () => {
    expect(await hasMoved(movedOn("2"))).toBe(true);
    expect(await hasMoved(movedOn("3"))).toBe(true);
  });

  it("if the run has found the parent moved", async () => {
    expect(await hasMoved(null, new Set(["1"]))).toBe(true);
  });

  it("but not if the parent lives, was deleted, or leads round in a circle", async () => {
    expect(await hasMoved(null)).toBe(false);
    expect(await hasMoved("deleted")).toBe(false);
    expect(await hasMoved(movedOn("1"))).toBe(false);
  });
});
