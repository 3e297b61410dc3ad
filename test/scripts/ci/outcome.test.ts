/** The exit and the reports of a stage become its counts: a stage that failed never counts as passed. */
import { describe, expect, it } from "vitest";
import { outcomeOfStage, type StageEnd } from "../../../scripts/ci/outcome.ts";
import { sampleStage } from "./sample-stage.ts";

const passes: StageEnd = { exit: { code: 0 }, stdout: "", output: "", report: null };
const fails: StageEnd = { ...passes, exit: { code: 2 } };
const hangs: StageEnd = { ...passes, exit: { notDoneAfterSeconds: 180 } };

describe("a stage that passes or fails as a whole", () => {
  const stage = sampleStage("lint");

  it("counts as no test where it passes", () => {
    expect(outcomeOfStage(stage, passes)).toEqual({
      ok: true,
      passed: 0,
      failed: 0,
      summary: "ok",
      failures: [],
    });
  });

  it("counts as one failure where it fails or hangs", () => {
    expect(outcomeOfStage(stage, fails)).toMatchObject({
      ok: false,
      failed: 1,
      summary: "FAILED",
      failures: ["lint: exit code 2; its output is above"],
    });
    expect(outcomeOfStage(stage, hangs)).toMatchObject({
      ok: false,
      failed: 1,
      failures: ["lint: not done after 180 s, and ended"],
    });
  });
});

describe("a stage that runs Vitest", () => {
  const stage = sampleStage("unit", { reads: "vitest" });

  it("counts the tests of the report", () => {
    const report = reportOf({ passed: 7 });
    expect(outcomeOfStage(stage, { ...passes, report })).toMatchObject({
      ok: true,
      passed: 7,
      failed: 0,
      summary: "ok (7 passed, 0 failed)",
    });
  });

  it("names each test that failed, its file and the start of its message", () => {
    const message = `expected 1 to be 2${"\n    at somewhere".repeat(200)}`;
    const report = reportOf({
      passed: 7,
      failed: 1,
      files: [{ tests: [{ status: "failed", fullName: "a lane waits", message }] }],
    });
    const outcome = outcomeOfStage(stage, { ...fails, report });
    expect(outcome).toMatchObject({ ok: false, passed: 7, failed: 1 });
    expect(outcome.failures).toHaveLength(1);
    expect(outcome.failures[0]).toMatch(/^unit: lane\.test\.ts: a lane waits\nexpected 1 to be 2/);
    expect(outcome.failures[0]?.length).toBeLessThan(1_600);
  });

  it("counts a file that does not load as one failure", () => {
    const report = reportOf({
      passed: 7,
      files: [{ status: "failed", message: "Cannot find module", tests: [] }],
    });
    expect(outcomeOfStage(stage, { ...fails, report })).toMatchObject({
      failed: 1,
      failures: ["unit: lane.test.ts: Cannot find module"],
    });
  });

  it("shows the errors outside every test, of which the report says nothing", () => {
    const output = "done\n Unhandled Errors \nError: nobody caught this\n";
    const report = reportOf({ passed: 7 });
    expect(outcomeOfStage(stage, { ...fails, report, output })).toMatchObject({
      failed: 1,
      passed: 7,
      failures: [
        "unit: exit code 2; its output is above",
        " Unhandled Errors \nError: nobody caught this\n",
      ],
    });
  });

  it("does not pass where the report tells of a failure and the exit code does not", () => {
    const report = reportOf({ passed: 7, failed: 1 });
    expect(outcomeOfStage(stage, { ...passes, report })).toMatchObject({ ok: false, failed: 1 });
  });

  it("fails without a report, unless it may have no tests", () => {
    for (const report of [null, "", "{}"])
      expect(outcomeOfStage(stage, { ...passes, report })).toMatchObject({
        ok: false,
        failed: 1,
        summary: "FAILED: no report (0 passed, 1 failed)",
      });
    const empty = { ...stage, command: ["vitest", "--passWithNoTests"] };
    expect(outcomeOfStage(empty, passes)).toMatchObject({ ok: true, failed: 0 });
    expect(outcomeOfStage(empty, fails)).toMatchObject({ ok: false, failed: 1 });
  });
});

describe("a stage that prints its counts", () => {
  const stage = sampleStage("crash", { reads: "counted" });

  it("is counted by its last line of JSON", () => {
    const stdout = '{"passed": 1, "failed": 1}\nmore\n{"passed": 3, "failed": 0}\nlast words\n';
    expect(outcomeOfStage(stage, { ...passes, stdout })).toMatchObject({
      ok: true,
      passed: 3,
      failed: 0,
      summary: "ok (3 passed, 0 failed)",
    });
  });

  it("fails with the failures that it names, whatever its exit code", () => {
    const stdout = '{"passed": 3, "failed": 2, "failures": ["kill: lost", "stop: twice"]}\n';
    for (const end of [passes, fails])
      expect(outcomeOfStage(stage, { ...end, stdout })).toMatchObject({
        ok: false,
        passed: 3,
        failed: 2,
        failures: ["crash: kill: lost", "crash: stop: twice"],
      });
  });

  it("counts as one failure where it exits with a failure and counts none", () => {
    const stdout = '{"passed": 3, "failed": 0}\n';
    expect(outcomeOfStage(stage, { ...fails, stdout })).toMatchObject({
      ok: false,
      passed: 3,
      failed: 1,
      failures: ["crash: exit code 2; its output is above"],
    });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{broken\n"],
    ["no numbers", '{"passed": "3", "failed": 0}\n'],
    ["half of a number", '{"passed": 3.5, "failed": 0}\n'],
    ["no counts", '{"seconds": 3}\n'],
  ])("fails where it prints %s", (_, stdout) => {
    expect(outcomeOfStage(stage, { ...passes, stdout })).toMatchObject({
      ok: false,
      passed: 0,
      failed: 1,
      summary: "FAILED: no counts (0 passed, 1 failed)",
      failures: ["crash: it printed no counts"],
    });
  });
});

interface SampleFile {
  readonly status?: string;
  readonly message?: string;
  readonly tests: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly message: string;
  }[];
}

function reportOf(given: {
  readonly passed: number;
  readonly failed?: number;
  readonly files?: readonly SampleFile[];
}): string {
  const { passed, failed = 0, files = [] } = given;
  return JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    testResults: files.map(({ status = "passed", message = "", tests }) => ({
      name: "/project/test/lane.test.ts",
      status,
      message,
      assertionResults: tests.map((test) => ({ ...test, failureMessages: [test.message] })),
    })),
  });
}
