/** Stages of CI as real processes. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runStages } from "../../../scripts/ci/run-stages.ts";
import type { Stage } from "../../../scripts/ci/stage.ts";
import { runStageProcess } from "../../../scripts/ci/stage-process.ts";
import type { StageResult } from "../../../scripts/ci/summary.ts";
import { shellStage } from "./sample-stage.ts";

/** Starts a child that would outlive it, and says both process ids. */
const WITH_CHILD = "tail -f /dev/null & echo $$ $!; wait";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-test-ci-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("the stage runner", () => {
  it("runs the stages after one that fails, and after one that cannot start", async () => {
    const { results, log } = await runAll([
      shellStage("broken", "echo wrong; exit 3"),
      { ...shellStage("absent", ""), command: ["./no-such-program"] },
      shellStage("last", "echo right"),
    ]);
    expect(results.map(({ stage, outcome }) => [stage.name, outcome.summary])).toEqual([
      ["broken", "FAILED"],
      ["absent", "FAILED"],
      ["last", "ok"],
    ]);
    expect(log).toContain("\n=== broken\nwrong\n!!! broken failed\n");
    expect(log).toContain("ENOENT\n!!! absent failed\n");
    expect(log).toContain("\n=== last\nright\n");
  });

  it("hands the last line of one to the stages after it, and starts none that lacks one", async () => {
    const uses: Stage = { ...shellStage("uses", ""), command: ["echo", "$FOUND"] };
    const { log } = await runAll([
      shellStage("finds", "echo looking; echo /opt/found", { sets: "FOUND" }),
      uses,
    ]);
    expect(log).toContain("\n=== uses\n/opt/found\n");

    const without = await runAll([shellStage("finds", "exit 1", { sets: "FOUND" }), uses]);
    expect(without.results[1]?.outcome).toMatchObject({
      failed: 1,
      failures: ["uses: no stage has set FOUND"],
    });
  });

  it("runs two beside each other, and tells what each said in one piece", async () => {
    const [there, back] = ["there", "back"].map((name) => join(folder, name)) as [string, string];
    execFileSync("mkfifo", [there, back]);
    // Each ends only once the other has begun: a pipe's reader waits for its writer, and the other way round.
    const { results, log } = await runAll([
      shellStage("first", `echo calls; echo > "${there}"; cat "${back}"; echo ends`, {
        beside: true,
      }),
      shellStage("second", `echo hears; cat "${there}"; echo > "${back}"; echo ends`, {
        beside: true,
      }),
    ]);
    expect(results.map(({ outcome }) => outcome.ok)).toEqual([true, true]);
    expect(log).toContain("\n=== first\ncalls\n\nends\n");
    expect(log).toContain("\n=== second\nhears\n\nends\n");
  });

  it("reads the report that it tells Vitest to write, and the environment of a stage holds", async () => {
    const report = { numPassedTests: 5, numFailedTests: 0, testResults: [] };
    const { results } = await runAll([
      shellStage("tests", 'for last; do :; done; echo "$REPORT" > "${last#--outputFile.json=}"', {
        reads: "vitest",
        env: { REPORT: JSON.stringify(report) },
      }),
    ]);
    expect(results[0]?.outcome).toMatchObject({ ok: true, passed: 5 });
  });

  it("ends what runs on an interrupt, with all that it started, and starts nothing more", async () => {
    const interrupt = new AbortController();
    const { results, log } = await runAll(
      [shellStage("works", WITH_CHILD), shellStage("never", "echo never")],
      interrupt,
      (text) => {
        if (/^\d+ \d+\n$/.test(text)) interrupt.abort();
      },
    );
    expect(results).toEqual([]);
    expect(log).not.toContain("never");
    await expectGone(idsIn(log));
  });
});

describe("the process of a stage", () => {
  const run = (script: string, limitMillis = 60_000) =>
    runStageProcess({
      command: ["sh", "-c", script],
      limitMillis,
      signal: new AbortController().signal,
    });

  it("keeps standard output apart from all that it said", async () => {
    await expect(run("echo out; echo err >&2; exit 4")).resolves.toMatchObject({
      code: 4,
      timedOut: false,
      stdout: "out\n",
      output: expect.stringContaining("err\n"),
    });
  });

  it("is ended at its limit with all that it started", async () => {
    const { timedOut, stdout } = await run(WITH_CHILD, 300);
    expect(timedOut).toBe(true);
    await expectGone(idsIn(stdout));
  });

  it("leaves nothing behind where it ends by itself", async () => {
    const { code, stdout } = await run("tail -f /dev/null & echo $$ $!");
    expect(code).toBe(0);
    await expectGone(idsIn(stdout));
  });

  it("reads no input", async () => {
    await expect(run("cat; echo done")).resolves.toMatchObject({ code: 0, stdout: "done\n" });
  });

  it("has a character that the pipe cuts in two in one piece", async () => {
    const file = join(folder, "long");
    writeFileSync(file, "→".repeat(100_000));
    const { stdout } = await run(`cat "${file}"`);
    expect(stdout).toBe(readFileSync(file, "utf8"));
  });
});

async function runAll(
  stages: readonly Stage[],
  interrupt = new AbortController(),
  onWrite: (text: string) => void = () => undefined,
): Promise<{ results: readonly StageResult[]; log: string }> {
  const results: StageResult[] = [];
  let log = "";
  await runStages({
    stages,
    write: (text) => {
      log += text;
      onWrite(text);
    },
    onResult: (result) => results.push(result),
    signal: interrupt.signal,
  });
  return { results, log };
}

function idsIn(text: string): readonly number[] {
  const [, ...ids] = /^(\d+) (\d+)$/m.exec(text) ?? [];
  expect(ids).toHaveLength(2);
  return ids.map(Number);
}

/** A process that was killed may take a moment until the system has collected it. */
async function expectGone(ids: readonly number[]): Promise<void> {
  await expect.poll(() => ids.filter(isRunning)).toEqual([]);
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    // An orphan that has ended, and that nobody has collected yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${id}/status`, "utf8"));
  } catch {
    return false;
  }
}
