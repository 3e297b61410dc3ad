/**
 * `npm run bench`: Tandem beside its peers and beside what Postgres can do, on the same work in the same
 * run. A round runs everybody in turn; the first one warms up and checks, and is not counted. `--quick`
 * takes less work, `--only 1` takes some rows, `--json` prints them for machines. To learn what binds:
 * `--statements` adds what each statement costs the database, `--profile DIR` writes CPU profiles.
 */
import { parseArgs } from "node:util";
import { startDurablePostgres } from "../test/harness/postgres-server.ts";
import type { Entry, Outcome, Row, Setting } from "./harness/bench.ts";
import { describeStatement } from "./harness/describe-statement.ts";
import { ratioOf } from "./harness/rounds.ts";
import { COUNTING } from "./harness/statements.ts";
import { ROWS } from "./rows.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string" },
    json: { type: "boolean", default: false },
    statements: { type: "boolean", default: false },
    profile: { type: "string" },
  },
});
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? "3" : "5"));
const nodeFlags =
  values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];

const rows = ROWS.filter(({ id }) => values.only.length === 0 || values.only.includes(String(id)));
const measured = rows.filter(({ length }) => !quick || length !== "long");
const counted: ReadonlyMap<string, Outcome>[] = [];
const faults: string[] = [];
const server = await startDurablePostgres(values.statements ? COUNTING : {});
try {
  for (let round = 0; round <= rounds; round += 1) {
    const setting: Setting = {
      ...{ adminUrl: server.adminUrl, quick, warmUp: round === 0, nodeFlags },
    };
    const outcomes = await runRound(setting, entriesOf(measured, round), round);
    if (round > 0) counted.push(outcomes);
  }
} finally {
  await server.stop();
}

const results = [
  {
    ...{ id: 0, name: "overlaps, inversions, edits without outcome, rows that are wrong" },
    ...{ ratio: faults.length, goal: 0, met: faults.length === 0 },
    spread: [faults.length, faults.length],
  },
  ...rows.map(resultOf),
];
for (const { id, name, ...result } of results) {
  const { ratio, goal, met, spread } = result;
  const [least, most] = spread.map((one) => one.toFixed(2));
  const told =
    "skipped" in result
      ? "skipped"
      : `${ratio.toFixed(2)} (${least ?? ""} to ${most ?? ""}), goal ${String(goal)}, ${met ? "met" : "not met"}`;
  tell(`${String(id).padStart(2)}  ${name}: ${told}`);
}
for (const fault of faults) tell(` 0  ${fault}`);
if (values.json) process.stdout.write(`${JSON.stringify({ rows: results })}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

/** Everybody who takes part in a round, once. */
function entriesOf(all: readonly Row[], round: number): readonly Entry[] {
  const due = all.filter((row) => round <= (row.rounds ?? rounds));
  const entries = due.flatMap(({ of, to }) => [of.entry, ...(to === null ? [] : [to.entry])]);
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
}

async function runRound(setting: Setting, entries: readonly Entry[], round: number) {
  const outcomes = new Map<string, Outcome>();
  for (const entry of entries) {
    const outcome = await entry.run(setting);
    outcomes.set(entry.name, outcome);
    faults.push(...outcome.faults);
    const figures = Object.entries(outcome.figures)
      .filter(([, value]) => !Number.isNaN(value))
      .map(([figure, value]) => `${figure} ${value.toFixed(value < 10 ? 2 : 0)}`);
    const place = setting.warmUp ? "warm-up" : `round ${String(round)}`;
    tell(`${place}  ${entry.name.padEnd(28)} ${figures.join(", ")}`);
    for (const statement of outcome.statements ?? []) tell(describeStatement(statement));
  }
  return outcomes;
}

function resultOf(row: Row) {
  const { id, name, of, to, goal, goalIs } = row;
  if (!measured.includes(row)) {
    return { id, name, ratio: NaN, goal, met: false, spread: [], skipped: true };
  }
  const pairs = counted
    .slice(0, row.rounds)
    .map((outcomes): readonly [number, number] => [
      outcomes.get(of.entry.name)?.figures[of.figure] ?? NaN,
      to === null ? 1 : (outcomes.get(to.entry.name)?.figures[to.figure] ?? NaN),
    ]);
  const { ratio, least, most } = ratioOf(pairs);
  const met = goalIs === "least" ? ratio >= goal : ratio <= goal;
  return { id, name, ratio, goal, met, spread: [least, most] };
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
