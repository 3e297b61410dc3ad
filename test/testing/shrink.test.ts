/** Shrinking: what is left of a failing history still fails, and nothing of it can be left out. */
import { describe, expect, it } from "vitest";
import { leaveOut } from "../../src/testing/shrink.ts";

const WHOLE = Array.from({ length: 100 }, (_, index) => index);

describe("shrinking", () => {
  it("leaves the parts that a failure needs, in their order", async () => {
    const fails = async (parts: readonly number[]) =>
      [17, 42, 90].every((part) => parts.includes(part));
    expect(await leaveOut(WHOLE, { fails })).toEqual([17, 42, 90]);
  });

  it("leaves out what could not be left out before something else was", async () => {
    // 42 is needed as long as 90 is there.
    const fails = async (parts: readonly number[]) =>
      parts.includes(17) && (!parts.includes(90) || parts.includes(42));
    expect(await leaveOut(WHOLE, { fails })).toEqual([17]);
  });

  it("runs no more histories than its budget has, and keeps one that fails", async () => {
    let runs = 0;
    const fails = async (parts: readonly number[]) => {
      runs += 1;
      return parts.includes(42);
    };
    const short = await leaveOut(WHOLE, { fails, budget: 3 });
    expect(runs).toBe(3);
    expect(short).toContain(42);
    expect(short.length).toBeLessThan(WHOLE.length);
  });

  it("leaves the same of the same history each time", async () => {
    const fails = async (parts: readonly number[]) =>
      parts.filter((part) => part % 9 === 0).length >= 3;
    expect(await leaveOut(WHOLE, { fails })).toEqual(await leaveOut(WHOLE, { fails }));
  });
});
