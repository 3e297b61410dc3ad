/** The standing of a swept record: the finding that a sweep makes of a lane, its row and its connection. */
import { describe, expect, it, test } from "vitest";
import { recordStanding } from "../../../src/engine/processing/record-standing.ts";
import type { Lane } from "../../../src/model/lane.ts";
import type { FieldMapping, Row } from "../../../src/model/mapping.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";
import { aContext, aLane, aMapping, anEventId, at, plainField, withEvent } from "../builders.ts";

const title = plainField("title");
const standing = (lane: Lane, row: Row | null, hasLeft = false, field: FieldMapping = title) => {
  const mapping = aMapping({ softDelete: "deleted_at", fields: [field] });
  return recordStanding(lane, row, hasLeft, aContext({ mapping }));
};

const paired = aLane();
const edited = { title: "B" };
const deleted = { title: "A", deleted_at: "2026-03-02" };

describe("a swept record", () => {
  const outbound = withEvent(paired, 5, { direction: "outbound" }).lane;
  const inbound = withEvent(paired, 5).lane;
  const switchedOff = aLane({ disabled: { cause: "restored", why: "" } });
  const ended = aLane({ tombstone: resourceDeleted(anEventId(9), at(50)) });

  test.each<readonly [string, Lane, Row | null, string]>([
    ["is the same if it is equal to base", paired, { title: "A" }, "same"],
    ["differs if it has a value that the resource does not have", paired, edited, "differs"],
    ["differs although an inbound event is live", inbound, edited, "differs"],
    ["is left to a live outbound event", outbound, edited, "same"],
    ["is not compared before it has a base", aLane({ base: null }), edited, "same"],
    ["is gone without a row", paired, null, "gone"],
    ["is gone if it is soft-deleted", paired, deleted, "gone"],
    ["is gone before it has a base", aLane({ base: null }), null, "gone"],
    ["is left to a live outbound event that will find it gone", outbound, null, "same"],
    ["is not compared behind a tombstone", ended, edited, "same"],
    ["is not gone behind a tombstone", ended, null, "same"],
    ["is not gone if the lane has none yet", aLane({ recordId: null }), null, "same"],
    ["is not compared if its pairing is switched off", switchedOff, edited, "same"],
    ["is not gone if its pairing is switched off", switchedOff, null, "same"],
    [
      "is not gone while it has not followed a return",
      aLane({ returned: anEventId(4) }),
      deleted,
      "same",
    ],
  ])("%s", (_what, lane, row, expected) => {
    expect(standing(lane, row)).toBe(expected);
  });

  test.each<readonly [string, Lane, Row | null, string]>([
    ["is moved", paired, { title: "A" }, "moved"],
    ["is moved although an outbound event is live", outbound, edited, "moved"],
    ["is moved although its pairing is switched off", switchedOff, edited, "moved"],
    ["is gone if it is deleted as well", paired, deleted, "gone"],
    ["is not moved behind a tombstone", ended, edited, "same"],
  ])("that belongs to another connection %s", (_what, lane, row, expected) => {
    expect(standing(lane, row, true)).toBe(expected);
  });
});

describe("a row that cannot be compared", () => {
  it("is left to the record's own events if the mapping throws", () => {
    const throwing = {
      ...title,
      toResource: () => {
        throw new Error("no title");
      },
    };
    expect(standing(paired, edited, false, throwing)).toBe("same");
  });

  it("stops the sweep if the comparison itself fails", () => {
    const unreadable = {
      ...plainField("state"),
      toResource: () => ({
        get name(): string {
          throw new Error("no name");
        },
      }),
    };
    expect(() => standing(paired, edited, false, unreadable)).toThrow("no name");
  });
});
