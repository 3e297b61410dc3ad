/**
 * `npm run mutants -- --alone`: runs each test that has found a mutant alone, on unchanged code. A test that
 * fails there needs the tests before it in its file. Run by its title, it fails with any mutant, and so finds
 * none. The command exits with 1 if there is such a test.
 */
import { readFileSync } from "node:fs";
import { openMutantRunner, type Tests } from "../test/mutation/runner.ts";
import { JUDGED, type Judged } from "./mutant-sample.ts";

export interface AloneOptions {
  /** The tests that found the mutants of docs/mutants.md. */
  readonly table: readonly Tests[];
  /** The tests to run, of all of them. */
  readonly part: (tests: readonly Tests[]) => readonly Tests[];
  readonly jobs: number;
  readonly testMillis: number;
  readonly json: boolean;
}

export async function runAlone(options: AloneOptions): Promise<void> {
  const { killed } = JSON.parse(readFileSync(JUDGED, "utf8")) as Judged;
  const sampled = Object.values(killed).map(({ file, test }) => ({ files: [file], names: [test] }));
  const all = [...options.table, ...sampled].map(
    (tests) => [JSON.stringify(tests), tests] as const,
  );
  const waiting = [...options.part([...new Map(all).values()])];
  const count = waiting.length;
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    const runner = await openMutantRunner({ workers: 1, testMillis: options.testMillis });
    try {
      for (let tests = waiting.shift(); tests !== undefined; tests = waiting.shift()) {
        const { ran, failed } = await runner.run(null, tests);
        if (ran && failed === null) continue;
        failures.push(
          `fails alone on unchanged code: ${tests.files[0] ?? ""}: ${tests.names?.[0] ?? ""}`,
        );
        process.stderr.write(`${failures.at(-1) ?? ""}\n`);
      }
    } finally {
      await runner.close();
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  const passed = count - failures.length;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ passed, failed: failures.length, failures })}\n`
      : `${String(passed)} of ${String(count)} tests that found a mutant pass alone\n`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}
