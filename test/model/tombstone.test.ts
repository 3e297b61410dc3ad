import { describe, expect, it } from "vitest";
import { connectionId, eventId } from "../../src/model/ids.ts";
import { instantFromMicros } from "../../src/model/instant.ts";
import {
  type EndedSide,
  endedSide,
  isEndedByRecord,
  outlivesRecord,
  type RecordEnd,
  recordDeleted,
  type ResourceEnd,
} from "../../src/model/tombstone.ts";

const THERE = { connection: connectionId("2"), externalId: "5" };
const ended = recordDeleted(eventId("e1"), instantFromMicros(1_000));

describe("a resource outlives its record", () => {
  it.each<[RecordEnd, ResourceEnd, boolean]>([
    ["deleted", "present", true],
    ["deleted", { outOfReach: "acme/away#7" }, true],
    ["deleted", "deleted", false],
    ["present", "deleted", false],
    ["deleted", { movedOn: THERE }, false],
    ["present", { movedOn: THERE }, false],
    ["present", { outOfReach: "acme/away#7" }, false],
    ["to_connection", "present", false],
  ])("with the record %o and the resource %o: %s", (record, resource, expected) => {
    expect(outlivesRecord({ ...ended, record, resource })).toBe(expected);
  });

  it("never where the pairing lives", () => {
    expect(outlivesRecord(null)).toBe(false);
  });
});

describe("the side whose end counts", () => {
  it.each<[RecordEnd, ResourceEnd, EndedSide]>([
    ["deleted", "present", "record"],
    ["to_connection", "present", "record"],
    ["present", "present", "record"],
    ["deleted", { outOfReach: "acme/away#7" }, "record"],
    ["present", { outOfReach: "acme/away#7" }, "resource"],
    ["to_connection", { outOfReach: "acme/away#7" }, "resource"],
    ["deleted", "deleted", "resource"],
    ["present", "deleted", "resource"],
  ])("with the record %o and the resource %o: %s", (record, resource, side) => {
    const tombstone = { ...ended, record, resource };
    expect(endedSide(tombstone)).toBe(side);
    expect(isEndedByRecord(tombstone)).toBe(side === "record");
  });

  it("is none where the pairing lives", () => {
    expect(isEndedByRecord(null)).toBe(false);
  });
});
