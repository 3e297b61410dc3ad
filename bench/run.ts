/**
 * `npm run bench`: Tandem beside what Postgres can do, on the same work in the same run. A round runs
 * everybody in turn; the first one warms up and checks, edit by edit, and is not counted. `--quick`
 * takes less work, `--only 1` takes some rows, `--json` prints them for machines.
 */
import { parseArgs } from "node:util";
import { startDurablePostgres } from "../test/harness/postgres-server.ts";
import { ratioOf } from "./harness/rounds.ts";
import { type Run, runContender } from "./harness/run-contender.ts";
import { entriesOf, nameOf, ROWS, type RowPlan } from "./rows.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string" },
    events: { type: "string" },
    bytes: { type: "string", default: "2048" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? "3" : "5"));
const events = Number(values.events ?? (values.quick ? "4000" : "20000"));
const BATCH = 500;

const rows = ROWS.filter(({ id }) => values.only.length === 0 || values.only.includes(String(id)));
const entries = entriesOf(rows);
const counted: ReadonlyMap<string, Run>[] = [];
const faults: string[] = [];
const server = await startDurablePostgres();
try {
  for (let round = 0; round <= rounds; round += 1) {
    const runs = new Map<string, Run>();
    for (const entry of entries) {
      const work = { spread: entry.spread, events, bytes: Number(values.bytes) };
      const run = await runContender(server.adminUrl, entry.contender, work, BATCH, round === 0);
      runs.set(nameOf(entry), run);
      faults.push(...faultsOf(nameOf(entry), run));
      tell(
        `${round === 0 ? "warm-up" : `round ${String(round)}`}  ${nameOf(entry).padEnd(20)} ` +
          `${run.perSecond.toFixed(0).padStart(7)} edits a second, ` +
          `${String(Math.round(run.walPerEdit))} bytes of WAL and ` +
          `${run.cpuPerEdit.toFixed(0)} µs of our CPU for each`,
      );
    }
    if (round > 0) counted.push(runs);
  }
} finally {
  await server.stop();
}

const results = rows.map(resultOf);
const checked = {
  id: 0,
  name: "overlaps, inversions, edits without outcome, rows that are wrong",
  ratio: faults.length,
  goal: 0,
  met: faults.length === 0,
  spread: [faults.length, faults.length],
};
for (const { id, name, ratio, goal, met, spread } of results) {
  const [least, most] = spread.map((one) => one.toFixed(2));
  tell(
    `${String(id)}  ${name}: ${ratio.toFixed(2)} (${least ?? ""} to ${most ?? ""}), goal ${String(goal)}, ${met ? "met" : "not met"}`,
  );
}
for (const fault of faults) tell(`0  ${fault}`);
if (values.json) process.stdout.write(`${JSON.stringify({ rows: [checked, ...results] })}\n`);
process.exitCode = checked.met ? 0 : 1;

function resultOf({ id, name, of, to, goal }: RowPlan) {
  const pairs = counted.map((runs): readonly [number, number] => [
    runs.get(nameOf(of))?.perSecond ?? NaN,
    runs.get(nameOf(to))?.perSecond ?? NaN,
  ]);
  const { ratio, least, most } = ratioOf(pairs);
  return { id, name, ratio, goal, met: ratio >= goal, spread: [least, most] };
}

function faultsOf(name: string, { audit }: Run): readonly string[] {
  const { overlaps, inversions, stuck, wrong } = audit;
  return Object.entries({ overlaps, inversions, stuck, wrong })
    .filter(([, count]) => count !== 0)
    .map(([what, count]) => `${name}: ${String(count)} ${what}`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
