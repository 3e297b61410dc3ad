import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addMillis,
  formatInstant,
  type Instant,
  instantFromMicros,
  instantFromMillis,
  laterOf,
  parseInstant,
  SECOND,
  truncateInstant,
} from "../../src/model/instant.ts";

const YEAR = 365.25 * 24 * 3600 * SECOND;
const instant = fc
  .integer({ min: Math.round(-100 * YEAR), max: Math.round(280 * YEAR) })
  .map(instantFromMicros);

describe("instants", () => {
  it("law: they round-trip their text to the microsecond", () => {
    fc.assert(
      fc.property(instant, (at) => {
        expect(parseInstant(formatInstant(at))).toBe(at);
      }),
    );
  });

  it("law: their text sorts as they do", () => {
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        expect(formatInstant(a) < formatInstant(b)).toBe(a < b);
      }),
    );
  });

  it("law: cutting to a resolution is idempotent and never moves forward", () => {
    fc.assert(
      fc.property(instant, fc.constantFrom(1, 1_000, SECOND, 60 * SECOND), (at, resolution) => {
        const cut = truncateInstant(at, resolution);
        expect(truncateInstant(cut, resolution)).toBe(cut);
        expect(at - cut).toBeGreaterThanOrEqual(0);
        expect(at - cut).toBeLessThan(resolution);
      }),
    );
  });

  it.each([
    ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000Z"],
    ["2026-03-01 12:00:00.123456+00", "2026-03-01T12:00:00.123456Z"],
    ["2026-03-01 14:00:00.1+02", "2026-03-01T12:00:00.100000Z"],
    ["2026-03-01T06:30:00-05:30", "2026-03-01T12:00:00.000000Z"],
    ["2026-03-01 12:00:00.12345678Z", "2026-03-01T12:00:00.123456Z"],
    ["1900-01-01 00:00:00+01:02:03", "1899-12-31T22:57:57.000000Z"],
  ])("reads %s as Postgres and providers write it", (text, expected) => {
    expect(formatInstant(parseInstant(text))).toBe(expected);
  });

  it.each([
    "2026-03-01",
    "2026-03-01T12:00:00",
    "soon",
    "",
    "infinity",
    "2026-13-01T12:00:00Z",
    "2026-02-30T12:00:00Z",
    "2026-03-01T25:00:00Z",
    "2026-03-00T12:00:00Z",
    "2026-03-01T12:60:00Z",
    "2025-02-29T12:00:00Z",
    "1900-02-29T12:00:00Z",
    "0026-03-01T12:00:00Z",
  ])("refuses %j: not a time with an offset", (text) => {
    expect(() => parseInstant(text)).toThrow(RangeError);
  });

  it("know the last day of each month, and the first and last hour, minute and second", () => {
    const two = (part: number) => String(part).padStart(2, "0");
    const lastDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (const [month, last] of lastDays.entries()) {
      const day = (number: number) => `2026-${two(month + 1)}-${two(number)}T23:59:59Z`;
      expect(parseInstant(day(last))).toBe(Date.UTC(2026, month, last, 23, 59, 59) * 1_000);
      expect(() => parseInstant(day(last + 1))).toThrow(`no such time: "${day(last + 1)}"`);
    }
    expect(parseInstant("2024-02-29T00:00:00Z")).toBe(Date.UTC(2024, 1, 29) * 1_000);
    expect(parseInstant("2000-02-29T00:00:00Z")).toBe(Date.UTC(2000, 1, 29) * 1_000);
    expect(parseInstant("1999-12-31T23:59:59Z") + SECOND).toBe(Date.UTC(2000, 0) * 1_000);
  });

  it.each([
    "2026-00-01T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z",
    "0099-01-01T00:00:00Z",
    "2100-02-29T00:00:00Z",
  ])("refuses %s, which no calendar has", (text) => {
    expect(() => parseInstant(text)).toThrow(new RangeError(`no such time: "${text}"`));
  });

  it("refuses a text without an offset by quoting it", () => {
    const text = "2026-03-01T12:00:00";
    expect(() => parseInstant(text)).toThrow(
      new RangeError(`not a time with an offset: "${text}"`),
    );
  });

  it("refuse to be a fraction of a microsecond, or beyond what a number holds", () => {
    expect(() => instantFromMicros(0.5)).toThrow(
      new RangeError("not a whole number of microseconds: 0.5"),
    );
    expect(() => instantFromMicros(Number.NaN)).toThrow(RangeError);
    expect(() => instantFromMicros(2 ** 60)).toThrow(RangeError);
  });

  it("read a JavaScript time and move by milliseconds", () => {
    const at = instantFromMillis(Date.UTC(2026, 2, 1));
    expect(formatInstant(addMillis(at, 1.5))).toBe("2026-03-01T00:00:00.001500Z");
  });

  it("have a later one; never is earlier than any", () => {
    const [a, b] = [instantFromMicros(1), instantFromMicros(2)];
    expect(laterOf(a, b)).toBe(b);
    expect(laterOf(b, a)).toBe(b);
    expect(laterOf(null, a)).toBe(a);
    expect(laterOf(a, null)).toBe(a);
    expect(laterOf(null, null)).toBeNull();
  });

  it("compare with the operators of numbers", () => {
    const times: Instant[] = [instantFromMicros(2), instantFromMicros(1)];
    expect(times.sort((a, b) => a - b)).toEqual([1, 2]);
  });
});
