/** The end of CI's log. */
import { expect, it } from "vitest";
import { type StageResult, summaryText, totalsOf } from "../../../scripts/ci/summary.ts";
import { sampleStage } from "./sample-stage.ts";

const lint = sampleStage("lint", { minutes: 1.4, beside: true });
const unit = sampleStage("unit", { reads: "vitest", minutes: 2 });
const crash = sampleStage("crash", { reads: "counted", minutes: 1 });

const results: StageResult[] = [
  {
    stage: lint,
    seconds: 83.6,
    outcome: { ok: true, passed: 0, failed: 0, summary: "ok", failures: [] },
  },
  {
    stage: unit,
    seconds: 245,
    outcome: {
      ok: false,
      passed: 7,
      failed: 2,
      summary: "FAILED (7 passed, 2 failed)",
      failures: ["unit: a lane waits", "unit: a lane ends"],
    },
  },
];

it("repeats the failures, shows each stage beside its budget, and ends with the counts", () => {
  const totals = totalsOf(results, true);
  expect(summaryText([lint, unit], results, 330, totals)).toBe(`
Failures
unit: a lane waits
unit: a lane ends

Stages
stage                          took  budget
| lint                         1:24    1:24  ok
unit                           4:05    2:00  FAILED (7 passed, 2 failed)  OVER BUDGET
total                          5:30    3:24

Slowest
unit                           4:05
lint                           1:24

7 passed, 2 failed
`);
});

it("says how many stages a run that was cut short has not checked, and fails", () => {
  const done = results.slice(0, 1);
  const totals = totalsOf(done, false);
  expect(summaryText([lint, unit, crash], done, 90, totals)).toBe(`
Stages
stage                          took  budget
| lint                         1:24    1:24  ok
total                          1:30    4:24

Slowest
lint                           1:24

2 of 3 stages did not run to their end
0 passed, 1 failed
`);
});

it("counts what failed before the run was cut short once", () => {
  expect(totalsOf(results, false)).toEqual({ passed: 7, failed: 2 });
});
