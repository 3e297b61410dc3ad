import { expect, it } from "vitest";
import { compareExternalIds } from "../../src/model/observation.ts";

it("external ids are ordered as numbers of any length", () => {
  const ids = ["10", "9007199254740993", "9", "9007199254740992", "2"];
  expect(ids.sort(compareExternalIds)).toEqual([
    "2",
    "9",
    "10",
    "9007199254740992",
    "9007199254740993",
  ]);
});
