import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instantFromMicros, parseInstant } from "../../src/model/instant.ts";
import { wallClock } from "../../src/model/wall-clock.ts";

describe("a clock on the wall", () => {
  it("shows an instant in its zone, to the microsecond", () => {
    const at = parseInstant("2026-03-01T12:00:00.123456Z");
    expect(wallClock("Asia/Kolkata").show(at)).toBe("2026-03-01 17:30:00.123456");
    expect(wallClock("UTC").show(at)).toBe("2026-03-01 12:00:00.123456");
    expect(wallClock("America/St_Johns").show(at)).toBe("2026-03-01 08:30:00.123456");
  });

  it("is set forward and back with its zone", () => {
    const berlin = wallClock("Europe/Berlin");
    expect(berlin.show(parseInstant("2026-03-29T00:59:59Z"))).toBe("2026-03-29 01:59:59.000000");
    expect(berlin.show(parseInstant("2026-03-29T01:00:00Z"))).toBe("2026-03-29 03:00:00.000000");
    expect(berlin.read("2026-07-01 12:00:00")).toBe(parseInstant("2026-07-01T10:00:00Z"));
    expect(berlin.read("2026-01-01 12:00:00")).toBe(parseInstant("2026-01-01T11:00:00Z"));
  });

  it.each([
    ["the hour before it is set forward", "Europe/Berlin", "2026-03-29 01:30:00", "00:30:00"],
    ["the hour after that", "Europe/Berlin", "2026-03-29 03:30:00", "01:30:00"],
    ["the hour before, west of Greenwich", "America/New_York", "2026-03-08 01:30:00", "06:30:00"],
    ["the hour after that", "America/New_York", "2026-03-08 03:30:00", "07:30:00"],
    ["the hour after it is set back", "Europe/Berlin", "2026-10-25 03:30:00", "02:30:00"],
  ])("is read right in %s (%s)", (_when, zone, shown, utc) => {
    expect(wallClock(zone).read(shown)).toBe(parseInstant(`${shown.slice(0, 10)}T${utc}Z`));
  });

  it("reads nothing that it does not show", () => {
    const clock = wallClock("Asia/Kolkata");
    for (const text of ["infinity", "2026-03-01", "2026-03-01T12:00:00Z", "2026-13-01 00:00:00"]) {
      expect(clock.read(text)).toBeNull();
    }
  });

  it("law: what it shows is read as the same instant, but for the hour that it shows twice", () => {
    const zones = ["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham", "Europe/Berlin"];
    const second = fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), second, (zone, seconds) => {
        const clock = wallClock(zone);
        const at = instantFromMicros(seconds * 1_000_000 + 7);
        const shown = clock.show(at);
        const read = clock.read(shown);
        expect(read === null ? null : clock.show(read)).toBe(shown);
      }),
    );
  });

  it("is of a zone that there is", () => {
    expect(() => wallClock("Mars/Olympus")).toThrow(RangeError);
  });
});
