/**
 * `npm run simulate -- --seeds 200 --json`: histories with every fault on. It exits with 1 unless
 * all converge with nothing lost, doubled or stuck. `--seed 17` runs one and prints its story.
 */
import { parseArgs } from "node:util";
import { simulate, type SimulationResult } from "../src/testing/simulation/simulate.ts";
import { openWorld } from "./simulation-world.ts";

/** One seed in so many is told twice, and must tell the same story. */
const TWICE_EVERY = 100;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "80" },
    database: { type: "string", default: "memory" },
    twice: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const { world, close } = await openWorld(values.database);
const steps = Number(values.steps);
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const results: SimulationResult[] = [];
let toldDifferently = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const result = await simulate({ seed, world, steps });
  results.push(result);
  if (!result.converged || values.seed !== undefined) tell(result);
  if (values.twice || seed % TWICE_EVERY === 0)
    toldDifferently += Number(!(await isRepeated(result)));
}
const total = {
  seeds: results.length,
  converged: results.filter((result) => result.converged).length,
  edits: sum((result) => result.edits),
  lostEdits: sum((result) => result.lost.length),
  duplicates: sum((result) => result.duplicates.length),
  stuck: sum((result) => result.stuck.length),
  apiCalls: sum((result) => result.apiCalls),
  toldDifferently,
};
process.stdout.write(
  values.json
    ? `${JSON.stringify(total)}\n`
    : `${String(total.converged)} of ${String(total.seeds)} histories converged; ${JSON.stringify(total)}\n`,
);
await close();
process.exitCode = total.converged === total.seeds && toldDifferently === 0 ? 0 : 1;

function sum(of: (result: SimulationResult) => number): number {
  return results.reduce((all, result) => all + of(result), 0);
}

async function isRepeated({ seed, trace, story }: SimulationResult): Promise<boolean> {
  const again = await simulate({ seed, world, steps });
  if (again.trace === trace) return true;
  const line = story.findIndex((each, index) => each !== again.story[index]);
  say(`seed ${String(seed)} told two stories; they part at line ${String(line)}:`);
  say(`  ${story[line] ?? "(beyond the story)"}`);
  say(`  ${again.story[line] ?? "(beyond the story)"}`);
  return false;
}

function tell(result: SimulationResult): void {
  say(`seed ${String(result.seed)}: ${result.converged ? "converged" : "DID NOT CONVERGE"}`);
  if (values.seed !== undefined) for (const line of result.story) say(`  ${line}`);
  if (values.seed !== undefined) for (const line of result.ledger) say(`  ledger: ${line}`);
  for (const line of result.differing) say(`  differs: ${line}`);
  for (const line of result.lost) say(`  lost: ${line}`);
  for (const line of result.duplicates) say(`  double: ${line}`);
  for (const line of result.stuck) say(`  stuck: ${line}`);
  if (!result.converged) {
    say(`  again, with its story: npm run simulate -- --seed ${String(result.seed)}`);
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
