/** The one of several lanes that keeps their record at the new place. */
import { describe, expect, test } from "vitest";
import { resolveDuplicateLanes } from "../../../src/engine/lifecycle/duplicate-lanes.ts";
import { connectionId, laneId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { aLane, anEventId, anUnseenLane, at } from "../builders.ts";

const THERE = connectionId("2");
const lane = (id: string, changes: Partial<Lane> = {}) =>
  aLane({ id: laneId(id), recordId: "7", externalId: id, ...changes });
const unsent = (id: string, changes: Partial<Lane> = {}) =>
  anUnseenLane({ id: laneId(id), recordId: "7", externalId: null, ...changes });
const away = {
  tombstone: {
    event: anEventId(1),
    at: at(1),
    record: "present",
    resource: { outOfReach: "77/5" },
  },
} as const;

function told(arriving: readonly Lane[], present: readonly Lane[] = []) {
  const { yields, leaves } = resolveDuplicateLanes(arriving, present);
  const given = [...yields].map(([to, lanes]) => [to, ...lanes.map(({ id }) => id)]);
  return { yields: given, leaves: [...leaves] };
}

describe("lanes of one record that meet at a new place", () => {
  test("one lane, or one of each record, has no rival", () => {
    expect(told([lane("1"), lane("2", { recordId: "8" })])).toEqual({ yields: [], leaves: [] });
    const doubles = [lane("1", { recordId: null }), lane("2", { recordId: null })];
    expect(told(doubles)).toEqual({ yields: [], leaves: [] });
  });

  test("one that lives there keeps it, and what arrives lets it go", () => {
    const present = lane("1", { connectionId: THERE });
    expect(told([lane("3", away), lane("2")], [present])).toEqual({
      yields: [],
      leaves: ["2", "3"],
    });
  });

  test("one that lived on is before one that was out of reach, and of two of those the later", () => {
    expect(told([lane("3", away), lane("2")])).toEqual({ yields: [], leaves: ["3"] });
    expect(told([lane("2", away), lane("10", away)])).toEqual({ yields: [], leaves: ["2"] });
  });

  test("a lane that has sent nothing gives way, wherever it is; one that may have sent does not", () => {
    expect(told([lane("2", away), unsent("6")])).toEqual({ yields: [["2", "6"]], leaves: [] });
    const there = unsent("6", { connectionId: THERE });
    expect(told([lane("2", away)], [there])).toEqual({ yields: [["2", "6"]], leaves: [] });
    const intent = { token: "t", since: at(1), tokenless: false };
    expect(told([lane("2", away), unsent("6", { intent })])).toEqual({
      yields: [],
      leaves: ["2"],
    });
  });
});
