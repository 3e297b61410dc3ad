/** When the second of two resources of ours is certain to be one too many. */
import { expect, it } from "vitest";
import { isCertainlySurplus } from "../../src/engine/surplus.ts";
import { anEventId, at } from "./builders.ts";

const deleted = { event: anEventId(9), at: at(50), side: "resource" } as const;
const moved = { ...deleted, movedTo: "7" };

it.each([
  ["another one was found", "another", null, true],
  ["the first has moved to where the second is", "the_second", null, false],
  ["the first has moved there, though it counts as deleted", "the_second", deleted, false],
  ["the first is not found, and nothing says that it is deleted", "absent", null, false],
  ["the first is not found and known to be deleted", "absent", deleted, true],
  ["the first is not found and was moved away", "absent", moved, false],
] as const)("%s", (_what, first, tombstone, isSurplus) => {
  expect(isCertainlySurplus({ tombstone }, first)).toBe(isSurplus);
});
