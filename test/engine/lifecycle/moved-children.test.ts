/** The children of a moved resource: which follow, and which rows the drain must place. */
import { describe, expect, test } from "vitest";
import { misplacedRows } from "../../../src/engine/lifecycle/moved-children.ts";
import { connectionId, laneId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { recordDeleted, resourceDeleted } from "../../../src/model/tombstone.ts";
import { aLane, aMapping, anEventId, at } from "../builders.ts";

const THERE = connectionId("2");
const lane = aLane({ connectionId: THERE });
const mapping = aMapping();

function child(recordId: string, changes: Partial<Lane> = {}): Lane {
  return aLane({ id: laneId(`1${recordId}`), recordId, ...changes });
}

/** The rows to place, for followers, other lanes, and the rows below the record. */
function placed(
  followers: readonly Lane[],
  others: readonly Lane[],
  ...rows: string[]
): readonly string[] {
  const matches = followers.map((one) => ({ child: one, seen: null }));
  return misplacedRows({ lane, others }, { mapping, matches }, rows);
}

describe("a row is to be placed", () => {
  test("if its lane follows and it belongs to another record by now", () => {
    expect(placed([child("1"), child("2")], [], "1")).toEqual(["2"]);
  });

  test("but not if its lane has ended by the record", () => {
    const gone = child("2", { tombstone: recordDeleted(anEventId(2), at(50)) });
    expect(placed([gone], [])).toEqual([]);
    const kept = child("2", { tombstone: resourceDeleted(anEventId(2), at(50)) });
    expect(placed([kept], [])).toEqual(["2"]);
  });

  test("if it is below the record and its living lane is in another connection", () => {
    expect(placed([], [child("3")], "3")).toEqual(["3"]);
  });

  test.each([
    ["is in the resource's connection", { connectionId: THERE }],
    ["has ended", { tombstone: recordDeleted(anEventId(2), at(50)) }],
    ["is of another type of record", { recordType: "notes" }],
    ["has no record", { recordId: null }],
  ])("but not if that lane %s", (_what, changes) => {
    expect(placed([], [child("3", changes)], "3")).toEqual([]);
  });

  test("but not if it is below another record, or follows", () => {
    expect(placed([], [child("3")], "4")).toEqual([]);
    expect(placed([child("3")], [child("3")], "3")).toEqual([]);
  });
});
