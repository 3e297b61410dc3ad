/** A run's result for a row must be JSON, and a missing figure must not look like a good one. */
import { expect, it } from "vitest";
import type { Entry, Row } from "../../bench/harness/bench.ts";
import {
  describeResult,
  gateResult,
  resultOf,
  type Round,
  skippedResult,
} from "../../bench/harness/results.ts";

const entry = (name: string): Entry => ({
  name,
  run: () => Promise.resolve({ figures: {}, faults: [] }),
});
const row: Row = {
  id: 7,
  name: "wake-up from idle",
  of: { entry: entry("product"), figure: "p50" },
  to: { entry: entry("bare"), figure: "p50" },
  against: "a bare listener",
  goal: 1.5,
  goalIs: "most",
};

function round(product: number, bare: number): Round {
  return new Map([
    ["product", { figures: { p50: product }, faults: [] }],
    ["bare", { figures: { p50: bare }, faults: [] }],
  ]);
}

it("takes the median of the rounds' own ratios, and says how far they spread", () => {
  const result = resultOf(row, [round(3, 2), round(10, 5), round(12, 10)]);

  expect(result).toEqual({
    ...{ id: 7, name: "wake-up from idle", ratio: 1.5, goal: 1.5, met: true, spread: [1.2, 2] },
  });
});

it("leaves out a round without figures, and meets no goal where no round has them", () => {
  expect(resultOf(row, [round(4, 2), new Map()]).ratio).toBe(2);

  const nothing = resultOf(row, [new Map()]);

  expect(JSON.parse(JSON.stringify(nothing))).toEqual({
    ...{ id: 7, name: "wake-up from idle", ratio: null, goal: 1.5, met: false, spread: [] },
  });
});

it("says that a row was skipped, neither met nor missed", () => {
  const skipped = skippedResult(row);

  expect(JSON.parse(JSON.stringify(skipped))).toEqual({
    ...{ id: 7, name: "wake-up from idle", ratio: null, goal: 1.5, met: null, spread: [] },
    skipped: true,
  });
  expect(describeResult(skipped)).toBe(" 7  wake-up from idle: skipped");
});

it("meets row 0 without a single fault only", () => {
  expect(gateResult([]).met).toBe(true);
  expect(gateResult(["product, hot: 1 stuck"])).toMatchObject({ ratio: 1, met: false });
});
