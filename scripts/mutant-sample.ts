/**
 * `npm run mutants -- --random N --seed S --json`: judges N classic mutants at random places of the code.
 * Each runs against the tests that reach its block, the fastest first, until one fails. A test that fails
 * alone on unchanged code as well kills nothing, and is named on stderr. The report is
 * `{tried, killed, survived: [...]}`; the command exits with 1 below 95 % killed.
 *
 * `--resume FILE` keeps the verdicts of an interrupted run. `--write` records in
 * test/mutation/classic-judged.json which test killed each mutant. That test runs first the next time, so a
 * known sample needs no map from tests to code. `--known` samples only known mutants, for CI. The file also
 * lists equivalent mutants, with the reason for each.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import {
  type ClassicMutant,
  classicMutants,
  shuffled,
  withFault,
} from "../test/mutation/classic.ts";
import { openCompiler } from "../test/mutation/compiles.ts";
import type { Fault } from "../test/mutation/mutant.ts";
import { blockAt, blocksOf } from "../test/mutation/reach.ts";
import { type Reach, reachOfSuite, type TimedTest } from "../test/mutation/reach-run.ts";
import { type Failed, type MutantRunner, openMutantRunner } from "../test/mutation/runner.ts";

export interface SampleOptions {
  readonly count: number;
  readonly seed: number;
  readonly jobs: number;
  readonly resume: string | null;
  readonly json: boolean;
  readonly write: boolean;
  /** Only mutants that a test has killed before. That test runs again, and no map is needed. */
  readonly known: boolean;
  /** A folder below the repository's root; default: all sampled folders. */
  readonly within: string | null;
}

interface Verdict {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly operator: string;
  readonly was: string;
  readonly becomes: string;
  /** The test that failed; `null`: the mutant survived. */
  readonly killedBy: Failed | null;
  /** The number of tests that reach the block, and of those that ran. */
  readonly reachedBy: number;
  readonly ran: number;
}

export interface Judged {
  readonly killed: Record<string, Failed>;
  /** Mutants that no test can distinguish from the original code, with the reason. */
  readonly equivalent: Record<string, string>;
}

/** Production code below the command line. The memory store is left out: only tests and simulations use it. */
const SAMPLED = /^(engine|model|runtime|server|integrations|store\/(?!memory))/;
export const JUDGED = "test/mutation/classic-judged.json";
/** The share of killed mutants below which the tests protect too little. */
const GOAL = 0.95;
/** Tests per step: few and fast first, since most mutants are killed by any test that reaches them. */
const STEPS = [8, 40, 200] as const;
/** A mutant that survives so many seconds of tests counts as survived. */
const MOST_SECONDS = 150;
const TEST_MILLIS = 30_000;
/** A run in which no test ends for so long is a loop that nothing interrupts. */
const STUCK_MILLIS = 150_000;

export async function judgeSample(options: SampleOptions): Promise<void> {
  const judged = JSON.parse(readFileSync(JUDGED, "utf8")) as Judged;
  const chosen = choose(options, judged);
  const verdicts = readVerdicts(options.resume, chosen);
  const failingAlone: Failed[] = [];
  let reach: Promise<Reach> | null = null;
  const waiting = chosen.filter(({ id }) => !verdicts.some((verdict) => verdict.id === id));

  const work = async (): Promise<void> => {
    const runner = await openMutantRunner({
      workers: 1,
      testMillis: TEST_MILLIS,
      control: !options.known,
    });
    try {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const known = judged.killed[mutant.id];
        const verdict =
          (known === undefined ? null : await judgeByLast(mutant, known, runner)) ??
          (options.known
            ? verdictOf(mutant, null, 1, 1)
            : await judgeByReach(mutant, await (reach ??= reachOfSuite()), runner));
        verdicts.push(verdict);
        if (options.resume !== null) appendFileSync(options.resume, `${JSON.stringify(verdict)}\n`);
        say(verdict);
      }
    } finally {
      failingAlone.push(...runner.failingAlone());
      await runner.close();
    }
  };
  if (waiting.some(({ id }) => judged.killed[id] === undefined)) await (reach ??= reachOfSuite());
  await Promise.all(Array.from({ length: options.jobs }, work));
  for (const { file, test } of failingAlone) {
    process.stderr.write(`fails alone on unchanged code, and judges nothing: ${file}: ${test}\n`);
  }
  report(options, judged, verdicts);
}

/** The first mutants in the seed's order that compile and are not known to be equivalent. */
function choose(options: SampleOptions, judged: Judged): readonly ClassicMutant[] {
  // Mutants that were judged before did compile.
  const compiles = options.known ? () => true : openCompiler();
  const all = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && SAMPLED.test(file))
    .map((file) => join("src", file))
    .filter((file) => options.within === null || file.startsWith(options.within))
    .sort()
    .flatMap((file) => classicMutants(file, readFileSync(file, "utf8")));
  const chosen: ClassicMutant[] = [];
  for (const mutant of shuffled(all, options.seed)) {
    if (chosen.length === options.count) break;
    if (judged.equivalent[mutant.id] !== undefined) continue;
    if (options.known && judged.killed[mutant.id] === undefined) continue;
    if (compiles(mutant.file, withFault(readFileSync(mutant.file, "utf8"), mutant))) {
      chosen.push(mutant);
    }
  }
  return chosen;
}

async function judgeByLast(
  mutant: ClassicMutant,
  last: Failed,
  runner: MutantRunner,
): Promise<Verdict | null> {
  const tests = { files: [last.file], names: [last.test], millis: STUCK_MILLIS };
  const { failed } = await runner.run(faultOf(mutant), tests).catch(() => ({ failed: null }));
  return failed === null ? null : verdictOf(mutant, failed, 1, 1);
}

async function judgeByReach(
  mutant: ClassicMutant,
  reach: Reach,
  runner: MutantRunner,
): Promise<Verdict> {
  const all = testsOf(mutant, reach);
  const tests = withinLimit(all);
  let ran = 0;
  for (const size of [...STEPS, tests.length]) {
    const step = tests.slice(ran, ran + size);
    if (step.length === 0) break;
    ran += step.length;
    const files = [...new Set(step.map(({ file }) => file))];
    const names = [...new Set(step.map(({ name }) => name))];
    const { failed } = await runner.run(faultOf(mutant), { files, names, millis: STUCK_MILLIS });
    if (failed !== null) return verdictOf(mutant, failed, all.length, ran);
  }
  return verdictOf(mutant, null, all.length, ran);
}

/** The tests to run, as many as take no longer together than a mutant is tried. */
function withinLimit(tests: readonly TimedTest[]): readonly TimedTest[] {
  const fastest = tests.slice(0, STEPS[0] + STEPS[1]);
  let left = MOST_SECONDS * 1000;
  return [...fastest, ...oneOfEachFile(tests.slice(fastest.length))].filter(({ millis }, place) => {
    left -= millis;
    return place === 0 || left >= 0;
  });
}

/** First the fastest of each file, then the second: the hundred fastest may all be of one file, and much alike. */
function oneOfEachFile(tests: readonly TimedTest[]): readonly TimedTest[] {
  const count = new Map<string, number>();
  return tests
    .map((test) => {
      const turn = count.get(test.file) ?? 0;
      count.set(test.file, turn + 1);
      return { test, turn };
    })
    .sort((a, b) => a.turn - b.turn)
    .map(({ test }) => test);
}

/**
 * The tests that reach a mutant's block, fastest first. Without a block, as in a table of constants, they are those
 * that reach its file, and those whose file imports it.
 */
function testsOf(mutant: ClassicMutant, { tests, reaching }: Reach): readonly TimedTest[] {
  const blocks = blocksOf(mutant.file, readFileSync(mutant.file, "utf8"));
  const block = blockAt(blocks, mutant.start);
  const keys =
    block === null
      ? blocks.map((_, number) => `${mutant.file}:${String(number)}`)
      : [`${mutant.file}:${String(block)}`];
  const places = new Set(keys.flatMap((key) => reaching[key] ?? []));
  const importers = new Set(
    block === null
      ? [...new Set(tests.map(({ file }) => file))].filter((file) => imports(file, mutant.file))
      : [],
  );
  return tests
    .filter(({ file }, place) => places.has(place) || importers.has(file))
    .sort((a, b) => a.millis - b.millis || (a.name < b.name ? -1 : 1));
}

function imports(test: string, file: string): boolean {
  return readFileSync(test, "utf8").includes(`from "${relative(dirname(test), file)}"`);
}

function faultOf(mutant: ClassicMutant): Fault {
  const { id, file } = mutant;
  return { id, file, apply: (source) => withFault(source, mutant) };
}

function verdictOf(
  mutant: ClassicMutant,
  killedBy: Failed | null,
  reachedBy: number,
  ran: number,
): Verdict {
  const { id, file, line, operator, was, replacement } = mutant;
  return { id, file, line, operator, was, becomes: replacement, killedBy, reachedBy, ran };
}

function readVerdicts(file: string | null, chosen: readonly ClassicMutant[]): Verdict[] {
  if (file === null || !existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as Verdict)
    .filter(({ id }) => chosen.some((mutant) => mutant.id === id));
}

function say({ id, file, line, operator, was, killedBy, reachedBy, ran }: Verdict): void {
  const outcome =
    killedBy === null
      ? `SURVIVED (${String(ran)} of ${String(reachedBy)} tests)`
      : `killed by ${killedBy.test}`;
  process.stderr.write(`${id} ${file}:${String(line)} ${operator}: ${was}: ${outcome}\n`);
}

function report(options: SampleOptions, judged: Judged, verdicts: readonly Verdict[]): void {
  const survived = verdicts.filter(({ killedBy }) => killedBy === null);
  const killed = verdicts.length - survived.length;
  if (options.write) {
    for (const { id, killedBy } of verdicts) {
      if (killedBy !== null) judged.killed[id] = killedBy;
      else Reflect.deleteProperty(judged.killed, id);
    }
    const ordered = Object.fromEntries(Object.entries(judged.killed).sort());
    writeFileSync(JUDGED, `${JSON.stringify({ ...judged, killed: ordered }, null, 2)}\n`);
  }
  const enough = killed >= GOAL * verdicts.length;
  const failures = enough
    ? []
    : survived.map(
        ({ file, line, operator, was }) => `${file}:${String(line)} ${operator}: ${was}`,
      );
  const counts = { passed: killed, failed: failures.length, failures };
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ tried: verdicts.length, killed, survived, ...counts })}\n`
      : `${String(killed)} of ${String(verdicts.length)} faults at random places are found\n`,
  );
  process.exitCode = enough ? 0 : 1;
}
