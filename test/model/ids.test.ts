import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventIds, uuidv7 } from "../../src/model/ids.ts";
import { type Instant, instantFromMicros, MILLISECOND } from "../../src/model/instant.ts";
import { seededRandom } from "../../src/testing/random.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const START = Date.UTC(2026, 2, 1) * MILLISECOND;
const instant = fc.integer({ min: 0, max: 10_000_000 }).map((by) => instantFromMicros(START + by));

describe("event ids", () => {
  it("law: they are UUIDs of version 7 and carry their millisecond", () => {
    fc.assert(
      fc.property(instant, fc.integer(), (at, seed) => {
        const id = uuidv7(at, seededRandom(seed));
        expect(id).toMatch(UUID_V7);
        const millis = Number.parseInt(id.replace("-", "").slice(0, 12), 16);
        expect(millis).toBe(Math.floor(at / MILLISECOND));
        expect(eventIds(seededRandom(seed))(at)).toMatch(UUID_V7);
      }),
    );
  });

  it("law: their text order is the order in which they were asked for, whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(instant, { maxLength: 50 }), fc.integer(), (times, seed) => {
        const next = eventIds(seededRandom(seed));
        const ids = times.map((at) => next(at));
        expect([...ids].sort()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it("are random in each digit behind the variant, so that two processes do not meet", () => {
    const next = eventIds(seededRandom(7));
    const now: Instant = instantFromMicros(START);
    const seen = Array.from({ length: 15 }, () => new Set<string>());
    for (let made = 0; made < 500; made += 1) {
      const behind = next(now).slice(20).replace("-", "");
      seen.forEach((digits, at) => digits.add(behind.charAt(at)));
    }
    expect(seen.map((digits) => digits.size)).toEqual(seen.map(() => 16));
  });

  it("keep their order through more than a millisecond can number", () => {
    const next = eventIds(seededRandom(1));
    const now: Instant = instantFromMicros(START);
    const ids = Array.from({ length: 9_000 }, () => next(now));
    expect([...ids].sort()).toEqual(ids);
    expect(ids.every((id) => UUID_V7.test(id))).toBe(true);
  });
});
