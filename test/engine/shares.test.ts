/** Who may have how many of a worker's places. */
import { describe, expect, it } from "vitest";
import { shares } from "../../src/engine/shares.ts";
import { accountId } from "../../src/model/ids.ts";

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
