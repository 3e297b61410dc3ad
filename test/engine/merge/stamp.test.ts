import { describe, expect, it } from "vitest";
import { stamp, stampedAt } from "../../../src/engine/merge/stamp.ts";
import { parseInstant } from "../../../src/model/instant.ts";
import { wallClock } from "../../../src/model/wall-clock.ts";

const mapping = { modifiedAt: "modified_at" };
const at = parseInstant("2026-03-01T12:00:00Z");
const kolkata = wallClock("Asia/Kolkata");
const row = (value: unknown) => ({ modified_at: value });

describe("the app's own stamp", () => {
  it("becomes the resource's time where that is later", () => {
    const moved = { modified_at: "2026-03-01T12:00:00.000000Z" };
    expect(stamp(mapping, row("2026-03-01 11:59:59+00"), at, null)).toEqual(moved);
    expect(stamp(mapping, row("2026-03-01 17:29:59"), at, kolkata)).toEqual(moved);
    expect(stamp(mapping, row(null), at, kolkata)).toEqual(moved);
  });

  it("never moves backwards, with a zone or without", () => {
    expect(stamp(mapping, row("2026-03-01 12:00:01+00"), at, null)).toEqual({});
    expect(stamp(mapping, row("2026-03-01 17:30:00.5"), at, kolkata)).toEqual({});
  });

  it("nor in the hour that the clock shows twice", () => {
    const newYork = wallClock("America/New_York");
    const second = parseInstant("2026-11-01T06:10:00Z");
    expect(stamp(mapping, row("2026-11-01 01:50:00"), second, newYork)).toEqual({});
  });

  it("says when the app changed the record", () => {
    expect(stampedAt(mapping, row("2026-03-01 17:30:00"), kolkata)).toBe(at);
    expect(stampedAt(mapping, row("2026-03-01 12:00:00+00"), null)).toBe(at);
    expect(stampedAt(mapping, row("infinity"), kolkata)).toBeNull();
    expect(stampedAt({ modifiedAt: null }, {}, null)).toBeNull();
  });
});
