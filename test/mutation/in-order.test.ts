/** A test that needs the one before it. `probe.ts` runs it alone: it must not count as one that finds a mutant. */
import { expect, it } from "vitest";
import * as trust from "../../src/engine/lane/trust.ts";

const loaded: unknown[] = [];

it("leaves something behind", () => {
  loaded.push(trust);
  expect(loaded).toEqual([trust]);
});

it("needs the test before it", () => {
  expect(loaded).toEqual([trust]);
});
