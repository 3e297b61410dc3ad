/**
 * `npm run spec`: checks every row of `spec/matrix.json`, two at a time. A model with all its rules must hold, and
 * each of its mutants must be refuted. Any other result, including a search that was cut short, exits with 1.
 *
 *   --only lane        rows whose name contains it
 *   --shard 1/6        a sixth of the rows
 *   --full             also the largest bounds: a minute more
 *   --traces           only mutants: writes the shortest schedule of each refutation to spec/traces
 *   --json             one line of JSON instead of the table
 */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { flagsOf, matrix, type Row, traceText } from "../spec/matrix.ts";
import { endProcess } from "./end-process.ts";
import { shardOf } from "./shard.ts";
import { missingTool, search } from "./spin.ts";

const AT_ONCE = 2;

interface Outcome {
  readonly model: string;
  readonly variant: string;
  readonly expect: Row["expect"];
  readonly result: "holds" | "refuted" | "truncated";
  readonly states: number;
  readonly seconds: number;
  readonly ok: boolean;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    shard: { type: "string" },
    full: { type: "boolean", default: false },
    traces: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const missing = await missingTool();
if (missing !== null) {
  process.stderr.write(`${missing}\n`);
  process.exit(1);
}

const rows = shardOf(
  values.shard,
  matrix.filter(
    ({ name, full, expect }) =>
      name.includes(values.only) &&
      (values.full || full !== true) &&
      (!values.traces || expect === "refuted"),
  ),
);
if (rows.length === 0) {
  process.stderr.write(
    `spec_no_such_row: no row's name contains "${values.only}". Names are in spec/matrix.json.\n`,
  );
  process.exit(1);
}
const outcomes: Outcome[] = [];
const began = performance.now();
const waiting = [...rows];
if (!values.json)
  say("model    variant                          expected  result        states seconds");
await Promise.all(Array.from({ length: AT_ONCE }, worker));
const failed = outcomes.filter(({ ok }) => !ok).length;
const passed = outcomes.length - failed;
const failures = outcomes
  .filter(({ ok }) => !ok)
  .map(({ model, variant, expect, result }) => `${model} ${variant}: ${result}, not ${expect}`);
const seconds = tenths((performance.now() - began) / 1000);
const states = outcomes.reduce((sum, outcome) => sum + outcome.states, 0);
if (values.json) say(JSON.stringify({ rows: outcomes, passed, failed, failures, states, seconds }));
else {
  const millions = (states / 1_000_000).toFixed(1);
  say(`${String(passed)} passed, ${String(failed)} failed`);
  say(`${millions} million states in ${seconds.toFixed(1)} seconds, all rows together`);
}
process.exitCode = failed === 0 ? 0 : 1;
endProcess();

async function worker(): Promise<void> {
  for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) await check(row);
}

async function check(row: Row): Promise<void> {
  const model = fileURLToPath(new URL(`../spec/${row.model}.pml`, import.meta.url));
  const { result, why, states, seconds, steps } = await search(model, flagsOf(row));
  const { name: variant, expect } = row;
  const ok = result === expect;
  const took = tenths(seconds);
  outcomes.push({ model: row.model, variant, expect, result, states, seconds: took, ok });
  if (!values.json) {
    say(
      `${row.model.padEnd(8)} ${variant.padEnd(32)} ${expect.padEnd(9)} ${result.padEnd(9)}` +
        `${String(states).padStart(11)} ${took.toFixed(1).padStart(7)}${ok ? "" : "  <- SURPRISE"}`,
    );
  }
  if (!ok) tell(row, why, steps);
  if (values.traces && result === "refuted" && ok) {
    const folder = new URL("../spec/traces/", import.meta.url);
    await mkdir(folder, { recursive: true });
    await writeFile(new URL(`${variant}.txt`, folder), traceText(row, why, steps));
  }
}

function tell(row: Row, why: string, steps: readonly string[]): void {
  process.stderr.write(`${row.name}: ${flagsOf(row).join(" ")}\n  ${row.clause}\n  ${why}\n`);
  for (const step of steps) process.stderr.write(`    ${step}\n`);
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
