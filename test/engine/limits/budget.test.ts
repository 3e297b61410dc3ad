/** The part of an account's budget that bulk work may use. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bulkRequestAt, bulkWriteAt } from "../../../src/engine/limits/budget.ts";
import { at } from "../builders.ts";

const HOUR = 3_600;

describe("bulk work's share of the budget", () => {
  it("is all of it if the provider has said nothing, or the budget was reset", () => {
    expect(bulkRequestAt(null, at(5))).toBe(at(5));
    const past = { limit: 5_000, remaining: 0, resetsAt: at(4) };
    expect(bulkRequestAt(past, at(5))).toBe(at(5));
  });

  it("leaves half of a whole window's budget to others", () => {
    const budget = (remaining: number) => ({ limit: 5_000, remaining, resetsAt: at(HOUR) });
    expect(bulkRequestAt(budget(2_501), at(0))).toBe(at(0));
    expect(bulkRequestAt(budget(2_500), at(0))).toBeGreaterThan(at(0));
  });

  it("grows as the window ends, for what nobody has used by then is lost", () => {
    const budget = { limit: 5_000, remaining: 1_000, resetsAt: at(HOUR) };
    expect(bulkRequestAt(budget, at(0))).toBeGreaterThan(at(0.5 * HOUR));
    expect(bulkRequestAt(budget, at(0.7 * HOUR))).toBe(at(0.7 * HOUR));
  });

  it("waits until what remains is its share", () => {
    // 1,000 of 5,000 are its share once two fifths of the window are left.
    const budget = { limit: 5_000, remaining: 1_000, resetsAt: at(HOUR) };
    expect(bulkRequestAt(budget, at(0))).toBe(at(0.6 * HOUR + 0.001));
    expect(bulkRequestAt({ ...budget, remaining: 2_500 }, at(0))).toBe(at(1));
    expect(bulkRequestAt({ ...budget, remaining: -5 }, at(0))).toBe(at(HOUR + 0.001));
  });

  it("is half of the budget in a window that is longer than an hour, too", () => {
    const budget = { limit: 5_000, remaining: 2_501, resetsAt: at(2 * HOUR) };
    expect(bulkRequestAt(budget, at(0))).toBe(at(0));
    expect(bulkRequestAt({ ...budget, remaining: 2_500 }, at(0))).toBe(at(HOUR + 0.001));
  });

  it("law: when it is told to come again, it may go on, and never is it put off beyond the reset", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60, max: 15_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: HOUR }),
        (limit, share, left) => {
          const remaining = Math.floor(limit * share);
          const budget = { limit, remaining, resetsAt: at(left) };
          const again = bulkRequestAt(budget, at(0));
          expect(bulkRequestAt(budget, again)).toBe(again);
          expect(again).toBeLessThanOrEqual(at(left + 1));
        },
      ),
    );
  });

  it("paces writes at half of what the provider takes an hour", () => {
    expect(bulkWriteAt(500, 10, at(0))).toBe(at(144));
    expect(bulkWriteAt(null, 10, at(0))).toBe(at(0));
    expect(bulkWriteAt(500, 0, at(0))).toBe(at(0));
  });
});
