/** The number of a worker's places that each account may have. */
import { describe, expect, it } from "vitest";
import {
  freeSlots,
  type InFlight,
  isWorthClaiming,
  fairShare,
} from "../../../src/engine/limits/account-shares.ts";
import { type AccountId, accountId } from "../../../src/model/ids.ts";
import { at } from "../builders.ts";

function underClaim(...counts: readonly number[]) {
  return new Map(counts.map((count, index) => [accountId(String(index + 1)), count]));
}

describe("the places of a worker", () => {
  it.each([
    ["no account is at work", [], [8, 14]],
    ["one account is at work", [14], [8, 14]],
    ["two are", [8, 2], [6, 14]],
    ["four are", [4, 4, 4, 4], [4, 14]],
    ["one is, and another was", [8, 0], [8, 14]],
  ])("%s: a part for each account, and one for the next that comes", (_, counts, expected) => {
    expect(fairShare({ total: 16, held: underClaim(...counts) })).toEqual(expected);
  });

  it.each([
    [1, [1, 1]],
    [2, [1, 1]],
    [8, [4, 7]],
    [100, [50, 87]],
  ])("%i: a single account may have nearly all", (total, expected) => {
    expect(fairShare({ total, held: new Map() })).toEqual(expected);
  });

  it("are never so many accounts' that one gets none", () => {
    const [part] = fairShare({ total: 4, held: underClaim(1, 1, 1, 1, 1, 1, 1, 1) });
    expect(part).toBe(1);
  });
});

describe("the places that are free", () => {
  const slow = accountId("1");
  const quick = accountId("2");
  const inFlight = (
    count: number,
    account: AccountId | null,
    since: number,
    answered = false,
  ): InFlight[] => Array.from({ length: count }, () => ({ account, since: at(since), answered }));

  it("are more by those that an account has held for a second", () => {
    const held = [...inFlight(4, slow, 10), ...inFlight(6, quick, 20)];
    expect(freeSlots(16, held, true, at(10))).toBe(6);
    expect(freeSlots(16, held, true, at(11))).toBe(10);
  });

  it("are never more than half as many again", () => {
    expect(freeSlots(16, inFlight(14, slow, 10), true, at(60))).toBe(10);
    expect(freeSlots(1, inFlight(1, slow, 10), true, at(60))).toBe(0);
    expect(freeSlots(16, inFlight(24, slow, 10), true, at(60))).toBe(0);
  });

  it("are no more where there is one account only, or the event is nobody's", () => {
    expect(freeSlots(16, inFlight(14, slow, 10), false, at(60))).toBe(2);
    expect(freeSlots(16, inFlight(14, null, 10), true, at(60))).toBe(2);
  });

  it("are not taken by events whose answer is being merged, as far as there are places", () => {
    const asking = inFlight(10, quick, 10);
    const free = (answered: number) =>
      freeSlots(16, [...asking, ...inFlight(answered, quick, 10, true)], false, at(10));
    expect([0, 16, 18, 30].map(free)).toEqual([6, 6, 4, 0]);
  });

  it("are not lent for events whose answer is being merged, however long it takes", () => {
    const held = [...inFlight(10, slow, 10), ...inFlight(4, slow, 10, true)];
    expect(freeSlots(16, held, true, at(60))).toBe(14);
  });

  it("are filled immediately, or a few at a time while answers are merged", () => {
    const asking = inFlight(13, quick, 10);
    const takingIn = [...asking, ...inFlight(1, quick, 10, true)];
    expect([0, 1, 3, 4].map((free) => isWorthClaiming(free, 16, asking))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect([0, 1, 3, 4].map((free) => isWorthClaiming(free, 16, takingIn))).toEqual([
      false,
      false,
      false,
      true,
    ]);
    // One place of one or two is never too few.
    expect([1, 2].map((total) => isWorthClaiming(1, total, takingIn))).toEqual([true, true]);
    expect(isWorthClaiming(16, 16, [])).toBe(true);
  });
});
