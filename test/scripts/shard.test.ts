/** Parts of a long list that together are all of it. */
import { describe, expect, it } from "vitest";
import { shardOf } from "../../scripts/shard.ts";

const ITEMS = ["a", "b", "c", "d", "e", "f", "g"];

describe("a shard", () => {
  it("is every third, and three of them are all", () => {
    const shards = ["1/3", "2/3", "3/3"].map((text) => shardOf(text, ITEMS));
    expect(shards).toEqual([
      ["a", "d", "g"],
      ["b", "e"],
      ["c", "f"],
    ]);
  });

  it("is everything where none is asked for", () => {
    expect(shardOf(undefined, ITEMS)).toEqual(ITEMS);
  });

  it.each(["", "3", "0/3", "4/3", "1/0", "a/b", "1/3x"])("%j is refused", (text) => {
    expect(() => shardOf(text, ITEMS)).toThrow(
      `--shard "${text}" must be a part such as 1/3, 2/3 or 3/3`,
    );
  });
});
