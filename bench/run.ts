/**
 * `npm run bench`: Tandem, its peers, and the limit of Postgres, with the same work in the same run. A round
 * runs all of them in turn. The first round warms up and checks, and is not counted. `--quick` does less work,
 * `--only 1` runs some rows, `--json` prints the results for machines. `--scale 0.02` does that share of the
 * work of long rows, to try them. To find a bottleneck, `--statements` adds the database's cost of each
 * statement, and `--profile DIR` writes CPU profiles. `--write` writes the figures into `docs/benchmarks.md`;
 * with `--only` it replaces the figures of these rows.
 */
import { parseArgs } from "node:util";
import { startDurablePostgres } from "../test/harness/postgres-server.ts";
import type { Entry, Outcome, Row, Setting } from "./harness/bench.ts";
import { describeStatement } from "./harness/describe-statement.ts";
import {
  describeResult,
  gateResult,
  type Result,
  resultOf,
  type Round,
  skippedResult,
} from "./harness/results.ts";
import { COUNTING } from "./harness/statements.ts";
import { reportEntries, reportRows } from "./page/report.ts";
import { thisMachine, writePage } from "./page/write-page.ts";
import { ROWS } from "./rows.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string" },
    scale: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    statements: { type: "boolean", default: false },
    profile: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
if (values.write && (values.quick || values.scale !== "1" || values.statements)) {
  throw new Error(
    "the page shows whole runs only: --write excludes --quick, --scale and --statements",
  );
}
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? "1" : "5"));
const nodeFlags =
  values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];

const rows = ROWS.filter(({ id }) => values.only.length === 0 || values.only.includes(String(id)));
const measured = rows.filter(({ length }) => !quick || length !== "long");
const counted: Round[] = [];
const faults: string[] = [];
const server = await startDurablePostgres(values.statements ? COUNTING : {});
try {
  for (let round = 0; round <= rounds; round += 1) {
    const setting: Setting = {
      ...{ adminUrl: server.adminUrl, quick, warmUp: round === 0, nodeFlags },
      scale: Number(values.scale),
    };
    const outcomes = await runRound(setting, entriesOf(measured, round), round);
    if (round > 0) counted.push(outcomes);
  }
} finally {
  await server.stop();
}

const results: readonly Result[] = [
  gateResult(faults),
  ...rows.map((row) => (measured.includes(row) ? resultOf(row, counted) : skippedResult(row))),
];
for (const result of results) tell(describeResult(result));
for (const fault of faults) tell(` 0  ${fault}`);
if (values.json) process.stdout.write(`${JSON.stringify({ rows: results })}\n`);
if (values.write) {
  const measuredOn = new Date().toISOString().slice(0, 10);
  const report = {
    machine: thisMachine(server.version),
    rows: reportRows(results, ROWS, measuredOn),
    entries: reportEntries(counted),
  };
  writePage(report, ROWS);
}
process.exitCode = faults.length === 0 ? 0 : 1;

/** All participants of a round, once each. */
function entriesOf(all: readonly Row[], round: number): readonly Entry[] {
  const due = all.filter((row) => round <= (row.rounds ?? rounds));
  const entries = due.flatMap(({ of, to, beside = [] }) => [
    of.entry,
    ...(to === null ? [] : [to.entry]),
    ...(quick || round > 1 ? [] : beside),
  ]);
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
}

async function runRound(
  setting: Setting,
  entries: readonly Entry[],
  round: number,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const place = setting.warmUp ? "warm-up" : `round ${String(round)}`;
  for (const entry of entries) {
    const began = performance.now();
    const outcome = await runEntry(entry, setting);
    const seconds = (performance.now() - began) / 1_000;
    outcomes.set(entry.name, outcome);
    faults.push(...outcome.faults);
    const figures = Object.entries(outcome.figures)
      .filter(([, value]) => !Number.isNaN(value))
      .map(([figure, value]) => `${figure} ${value.toFixed(value < 10 ? 2 : 0)}`);
    if (outcome.skipped !== undefined) figures.push(`skipped: ${outcome.skipped}`);
    tell(
      `${place}  ${seconds.toFixed(1).padStart(6)} s  ${entry.name.padEnd(28)} ${figures.join(", ")}`,
    );
    for (const statement of outcome.statements ?? []) tell(describeStatement(statement));
  }
  return outcomes;
}

/** A failed entry is a fault, and the others still run. */
async function runEntry(entry: Entry, setting: Setting): Promise<Outcome> {
  try {
    return await entry.run(setting);
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { figures: {}, faults: [`${entry.name}: it failed: ${said}`] };
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
