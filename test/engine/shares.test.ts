/** Who may have how many of a worker's places. */
import { describe, expect, it } from "vitest";
import { freePlaces, type InFlight, shares } from "../../src/engine/shares.ts";
import { type AccountId, accountId } from "../../src/model/ids.ts";
import { at } from "./builders.ts";

function heldBy(...counts: readonly number[]) {
  return new Map(counts.map((count, index) => [accountId(String(index + 1)), count]));
}

describe("the places of a worker", () => {
  it.each([
    ["nobody is at work", [], [8, 14]],
    ["one account is at work", [14], [8, 14]],
    ["two are", [8, 2], [6, 14]],
    ["four are", [4, 4, 4, 4], [4, 14]],
    ["one is, and another was", [8, 0], [8, 14]],
  ])("where %s: a part for each, and one for whoever comes", (_, counts, expected) => {
    expect(shares({ total: 16, held: heldBy(...counts) })).toEqual(expected);
  });

  it.each([
    [1, [1, 1]],
    [2, [1, 1]],
    [8, [4, 7]],
    [100, [50, 87]],
  ])("of %i: one account alone may have nearly all", (total, expected) => {
    expect(shares({ total, held: new Map() })).toEqual(expected);
  });

  it("are never so many accounts' that one gets none", () => {
    const [part] = shares({ total: 4, held: heldBy(1, 1, 1, 1, 1, 1, 1, 1) });
    expect(part).toBe(1);
  });
});

describe("the places that are free", () => {
  const slow = accountId("1");
  const quick = accountId("2");
  const inFlight = (count: number, account: AccountId | null, since: number): InFlight[] =>
    Array.from({ length: count }, () => ({ account, since: at(since) }));

  it("are more by those that an account has held for a second", () => {
    const held = [...inFlight(4, slow, 10), ...inFlight(6, quick, 20)];
    expect(freePlaces(16, held, true, at(10))).toBe(6);
    expect(freePlaces(16, held, true, at(11))).toBe(10);
  });

  it("are never more than half as many again", () => {
    expect(freePlaces(16, inFlight(14, slow, 10), true, at(60))).toBe(10);
    expect(freePlaces(1, inFlight(1, slow, 10), true, at(60))).toBe(0);
    expect(freePlaces(16, inFlight(24, slow, 10), true, at(60))).toBe(0);
  });

  it("are no more where there is one account only, or the event is nobody's", () => {
    expect(freePlaces(16, inFlight(14, slow, 10), false, at(60))).toBe(2);
    expect(freePlaces(16, inFlight(14, null, 10), true, at(60))).toBe(2);
  });
});
