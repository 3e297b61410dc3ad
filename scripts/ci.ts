/**
 * Runs every gate; `.ci/run` calls it in a fresh clone, once the node modules are installed.
 *
 * - The last line is `N passed, N failed`: tests over all stages, each run of a test counted. A stage that fails
 *   without a failing test counts as one. It exits with 1 if anything failed.
 * - A stage that fails does not hide the ones after it.
 * - Over its budget a stage is marked in the table. At four times its budget and three minutes it hangs: it is ended
 *   with all that it started, and fails.
 * - An interrupt ends all that runs, prints the table so far, and exits with 130.
 */
import { execFileSync } from "node:child_process";
import { inspect, parseArgs } from "node:util";
import { runStages } from "./ci/run-stages.ts";
import { INSTALL, stagesOf } from "./ci/stages.ts";
import { type StageResult, summaryText, totalsOf } from "./ci/summary.ts";
import { endProcess } from "./end-process.ts";

const { values } = parseArgs({
  options: {
    "install-seconds": { type: "string", default: "0" },
    /** Runs the stages that have it in their name. */
    only: { type: "string", default: "" },
  },
});
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    interrupt.abort();
  });

const began = performance.now();
const all = stagesOf(commit());
// A stage that sets a variable is part of those that use it.
const stages = all.filter(({ name, sets }) => name.includes(values.only) || sets !== undefined);
if (!stages.some(({ name }) => name.includes(values.only))) {
  process.stderr.write(`ci_no_such_stage: no stage's name contains "${values.only}".\n`);
  process.exit(1);
}
const installed: StageResult = {
  stage: INSTALL,
  seconds: Number(values["install-seconds"]),
  outcome: { ok: true, passed: 0, failed: 0, summary: "ok", failures: [] },
};
const results = [installed];
let complete = false;
try {
  await runStages({
    stages,
    write: (text) => process.stdout.write(text),
    onResult: (result) => results.push(result),
    signal: interrupt.signal,
  });
  complete = !interrupt.signal.aborted;
} catch (error) {
  process.stdout.write(`\n!!! The stage runner itself failed: ${inspect(error)}\n`);
}
const totals = totalsOf(results, complete);
const took = (performance.now() - began) / 1_000 + installed.seconds;
process.stdout.write(summaryText([INSTALL, ...stages], results, took, totals));
process.exitCode = interrupt.signal.aborted ? 130 : totals.failed === 0 ? 0 : 1;
endProcess();

/** Zero outside a repository. */
function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short=8", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "0";
  }
}
