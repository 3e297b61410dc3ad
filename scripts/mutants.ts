/**
 * `npm run mutants -- --json`: takes each rule out of the code, one at a time, and runs the tests
 * that must miss it: the one that did last by the table, and all of them where that does not. It exits
 * with 1 where one is not missed, or where those tests fail without any rule taken out. `--only ID` runs some; `--write` writes what was run into the table of
 * docs/mutants.md.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "../test/harness/postgres-server.ts";
import { type CodeMutant, DECISIONS, SCHEDULES } from "../test/mutation/mutant.ts";
import { mutants } from "../test/mutation/mutants.ts";
import { missedBy, tableOf } from "../test/mutation/table.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    jobs: { type: "string", default: String(Math.min(4, availableParallelism())) },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});

const TABLE = "docs/mutants.md";

/** Runs without a mutant, which may be under way at once. */
let runs = 0;

/** What a run of tests came to; `null`: they did not run at all. */
interface Run {
  readonly passed: number;
  /** The first test that failed. */
  readonly failed: Failed | null;
}

interface Failed {
  readonly test: string;
  readonly file: string;
}

interface Outcome {
  readonly id: string;
  readonly rule: string;
  readonly file: string;
  /** The test that missed the rule, and its file; `null` where none did. */
  readonly killedBy: string | null;
  readonly killedIn: string | null;
  readonly seconds: number;
}

const chosen = mutants.filter(({ id }) => values.only.length === 0 || values.only.includes(id));
if (values.list) {
  for (const { id, rule } of mutants) process.stdout.write(`${id.padEnd(24)} ${rule}\n`);
} else {
  await runGate();
}

async function runGate(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tandem-mutants-"));
  const given = process.env.TANDEM_TEST_DATABASE_URL;
  const server = given === undefined ? await startPostgres(undefined) : null;
  const url = given ?? server?.adminUrl ?? "";
  try {
    const last = missedBy(readFileSync(TABLE, "utf8"));
    const known = chosen.filter(({ id }) => last.has(id));
    const names = [...new Set(known.flatMap(({ id }) => last.get(id) ?? []))];
    const broken =
      known.length === 0 ? null : await brokenBy(known.flatMap(killers), url, folder, names);
    if (broken !== null) {
      say(`the tests fail with every rule in place: ${broken}`);
      process.exitCode = 1;
      return;
    }
    const outcomes: Outcome[] = [];
    const waiting = [...chosen];
    const work = async () => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        outcomes.push(await outcomeOf(mutant, last.get(mutant.id) ?? null, url, folder));
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
    report(chosen.flatMap(({ id }) => outcomes.find((outcome) => outcome.id === id) ?? []));
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function killers({ killedBy }: CodeMutant): readonly string[] {
  return killedBy ?? [...DECISIONS, ...SCHEDULES];
}

/** What fails among tests with every rule in place, all of the files or those of the names given. */
async function brokenBy(
  files: readonly string[],
  url: string,
  folder: string,
  names?: readonly string[],
): Promise<string | null> {
  const run = await runTests(null, [...new Set(files)], url, folder, names);
  return run === null ? "they did not run" : (run.failed?.test ?? null);
}

async function outcomeOf(
  mutant: CodeMutant,
  last: string | null,
  url: string,
  folder: string,
): Promise<Outcome> {
  const started = Date.now();
  const all = killers(mutant);
  let failed =
    last === null ? null : ((await runTests(mutant.id, all, url, folder, [last]))?.failed ?? null);
  if (failed === null) {
    const broken = await brokenBy(all, url, folder);
    if (broken !== null) throw new Error(`the tests fail with every rule in place: ${broken}`);
  }
  // One after another where they are slow, all at once where a start costs more than the tests do.
  for (const files of mutant.killedBy?.map((one) => [one]) ?? [DECISIONS, SCHEDULES]) {
    failed ??= (await runTests(mutant.id, files, url, folder))?.failed ?? null;
  }
  const { id, rule, file } = mutant;
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  const killedBy = failed?.test ?? null;
  say(`${killedBy === null ? "SURVIVED" : "killed  "} ${id}: ${killedBy ?? rule}`);
  return { id, rule, file, killedBy, killedIn: failed?.file ?? null, seconds };
}

/** Runs test files with a mutant, or as they are, up to the first failure; `names`: these tests only. */
async function runTests(
  mutant: string | null,
  files: readonly string[],
  url: string,
  folder: string,
  names?: readonly string[],
): Promise<Run | null> {
  const report = join(folder, `${mutant ?? `whole-${String((runs += 1))}`}.json`);
  const only = names === undefined ? [] : [`--testNamePattern=^(${names.map(literal).join("|")})$`];
  rmSync(report, { force: true });
  const child = spawn(
    process.execPath,
    [
      ...["node_modules/vitest/vitest.mjs", "run", "--config=test/mutation/vitest.config.ts"],
      ...["--bail=1", "--reporter=json", `--outputFile=${report}`, ...only, ...files],
    ],
    {
      env: {
        ...process.env,
        TANDEM_TEST_DATABASES: "postgres",
        TANDEM_TEST_DATABASE_URL: url,
        ...(mutant === null ? {} : { TANDEM_MUTANT: mutant }),
      },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  const run = readRun(report);
  if (run === null) say(errors);
  return run;
}

/** A name as a pattern that matches it alone. */
function literal(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function readRun(path: string): Run | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  const report = JSON.parse(text) as Report;
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ status, fullName }) => ({
      status,
      test: fullName,
      file: relative(process.cwd(), name),
    })),
  );
  // A file that does not load has no test that failed: a mutant must run to be missed.
  const failed = tests.find(({ status }) => status === "failed") ?? null;
  return tests.length === 0 ? null : { passed: report.numPassedTests, failed };
}

function report(outcomes: readonly Outcome[]): void {
  const killed = outcomes.filter(({ killedBy }) => killedBy !== null).length;
  const failed = outcomes.length - killed;
  const failures = outcomes
    .filter(({ killedBy }) => killedBy === null)
    .map(({ id, rule }) => `nothing misses ${id}: ${rule}`);
  if (values.write) {
    const ids = mutants.map(({ id }) => id);
    writeFileSync(TABLE, tableOf(ids, outcomes, readFileSync(TABLE, "utf8")));
  }
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ mutants: outcomes, passed: killed, failed, failures })}\n`
      : `${String(killed)} of ${String(outcomes.length)} rules are missed when they are taken out\n`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
