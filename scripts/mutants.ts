/**
 * `npm run mutants -- --json`: removes each rule from the code, one at a time, and runs the tests that must
 * fail: first the one that failed last by the table, then all of them. It exits with 1 if no test fails for a
 * rule, or if tests fail without any rule removed. `--only ID` runs some rules, `--shard 1/12` a twelfth of them.
 * `--write` writes the results into the table of docs/mutants.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { startPostgres } from "../test/harness/postgres-server.ts";
import { type CodeMutant, DECISIONS, faultOf, SCHEDULES } from "../test/mutation/mutant.ts";
import { mutants } from "../test/mutation/mutants.ts";
import { reasonLines } from "../test/mutation/reasons.ts";
import { type Failed, type MutantRunner, openMutantRunner } from "../test/mutation/runner.ts";
import { missedBy, tableOf } from "../test/mutation/table.ts";
import { endProcess } from "./end-process.ts";
import { shardOf } from "./shard.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    shard: { type: "string" },
    // One more than cores: a test waits for its database about half of the time.
    jobs: { type: "string", default: String(Math.min(4, availableParallelism() + 1)) },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});

const TABLE = "docs/mutants.md";

/** The limit for one test: without its rule a test may wait forever, ... */
const TEST_MILLIS = 15_000;

/** ... or loop forever. */
const RUN_MILLIS = 300_000;

interface Outcome {
  readonly id: string;
  readonly rule: string;
  readonly file: string;
  /** The test that failed without the rule, and its file; `null` if none failed. */
  readonly killedBy: string | null;
  readonly killedIn: string | null;
  readonly seconds: number;
}

const unknown = values.only.filter((only) => !mutants.some(({ id }) => id === only));
if (unknown.length > 0) {
  process.stderr.write(
    `mutants_no_such_id: there is no mutant "${unknown.join('", "')}". --list prints all ids.\n`,
  );
  process.exit(1);
}
const missed = missedBy(readFileSync(TABLE, "utf8"));
const chosen = shardOf(
  values.shard,
  mutants.filter(({ id }) => values.only.length === 0 || values.only.includes(id)),
);
const jobs = Math.max(1, Number(values.jobs));
if (values.list) {
  for (const { id, rule } of mutants) process.stdout.write(`${id.padEnd(24)} ${rule}\n`);
} else {
  const given = process.env.TANDEM_TEST_DATABASE_URL;
  const server = given === undefined ? await startPostgres(undefined) : null;
  process.env.TANDEM_TEST_DATABASES = "postgres";
  process.env.TANDEM_TEST_DATABASE_URL = given ?? server?.adminUrl ?? "";
  try {
    await runGate();
  } finally {
    await server?.stop();
  }
}
endProcess();

async function runGate(): Promise<void> {
  // With the same time limit as for mutants: a test that exceeds it without a mutant proves nothing.
  const opening = Array.from({ length: jobs }, (_, place) =>
    openMutantRunner({ workers: place === 0 ? jobs : 1, testMillis: TEST_MILLIS }),
  );
  const runners = await Promise.all(opening);
  try {
    const known = chosen.filter(({ id }) => missed.has(id));
    const names = [...new Set(known.flatMap(({ id }) => missed.get(id) ?? []))];
    const [whole] = runners;
    const broken =
      known.length === 0 || whole === undefined
        ? null
        : await brokenBy(whole, known.flatMap(killers), names);
    if (broken !== null) {
      say(`the tests fail with every rule in place: ${broken}`);
      process.exitCode = 1;
      return;
    }
    const outcomes: Outcome[] = [];
    const waiting = [...chosen];
    const work = async (runner: MutantRunner) => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        outcomes.push(await outcomeOf(mutant, missed.get(mutant.id) ?? null, runner));
      }
    };
    await Promise.all(runners.map(work));
    report(chosen.flatMap(({ id }) => outcomes.find((outcome) => outcome.id === id) ?? []));
  } finally {
    await Promise.all(runners.map((runner) => runner.close()));
  }
}

function killers({ killedBy }: CodeMutant): readonly string[] {
  return killedBy ?? [...DECISIONS, ...SCHEDULES];
}

/** The first failure with every rule in place, in all tests of the files or in the named ones. */
async function brokenBy(
  runner: MutantRunner,
  files: readonly string[],
  names?: readonly string[],
): Promise<string | null> {
  const tests = { files: [...new Set(files)], ...(names === undefined ? {} : { names }) };
  const { ran, failed } = await runner.run(null, tests);
  return ran ? (failed?.test ?? null) : "they did not run";
}

async function outcomeOf(
  mutant: CodeMutant,
  last: string | null,
  runner: MutantRunner,
): Promise<Outcome> {
  const started = Date.now();
  const all = killers(mutant);
  const fault = faultOf(mutant);
  let failed: Failed | null = null;
  if (last !== null)
    ({ failed } = await runner.run(fault, { files: all, names: [last], millis: RUN_MILLIS }));
  if (failed === null) {
    const broken = await brokenBy(runner, all);
    if (broken !== null) throw new Error(`the tests fail with every rule in place: ${broken}`);
  }
  // Slow files run one after the other. Fast ones run together, because a start costs more than their tests.
  for (const files of mutant.killedBy?.map((one) => [one]) ?? [DECISIONS, SCHEDULES]) {
    if (failed === null) ({ failed } = await runner.run(fault, { files, millis: RUN_MILLIS }));
  }
  const { id, rule, file } = mutant;
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  const killedBy = failed?.test ?? null;
  say(`${killedBy === null ? "SURVIVED" : "killed  "} ${id}: ${killedBy ?? rule}`);
  return { id, rule, file, killedBy, killedIn: failed?.file ?? null, seconds };
}

function report(outcomes: readonly Outcome[]): void {
  const killed = outcomes.filter(({ killedBy }) => killedBy !== null).length;
  const failed = outcomes.length - killed;
  const failures = outcomes
    .filter(({ killedBy }) => killedBy === null)
    .map(({ id, rule }) => `no test fails without ${id}: ${rule}`);
  if (values.write) {
    const ids = mutants.map(({ id }) => id);
    const before = readFileSync(TABLE, "utf8");
    writeFileSync(TABLE, tableOf(ids, outcomes, before, reasonLines(mutants)));
  }
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ mutants: outcomes, passed: killed, failed, failures })}\n`
      : `${String(killed)} of ${String(outcomes.length)} rules have a test that fails without them\n`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
