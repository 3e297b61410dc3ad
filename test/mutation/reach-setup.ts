/**
 * Writes down which blocks each test reached: a line of JSON for each file of tests, into
 * `TANDEM_REACH_FOLDER`. Code that a file reaches outside its tests counts for each of them.
 */
import { appendFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, afterEach, beforeEach, type RunnerTestCase, type RunnerTestSuite } from "vitest";

/** The blocks that one file of tests reached. */
export interface FileReach {
  readonly file: string;
  readonly around: readonly string[];
  readonly tests: readonly TestReach[];
}

export interface TestReach {
  /** The names of its suites and its own, joined by blanks. */
  readonly name: string;
  readonly millis: number;
  readonly passed: boolean;
  readonly blocks: readonly string[];
}

declare global {
  var tandemReach: ((block: string) => void) | undefined;
}

const around = new Set<string>();
const tests: TestReach[] = [];
let reached = around;
let began = 0;
let file: string | null = null;

globalThis.tandemReach = (block) => {
  reached.add(block);
};

beforeEach(({ task }) => {
  file ??= task.file.filepath;
  reached = new Set();
  began = performance.now();
});

afterEach(({ task }) => {
  const millis = Math.round(performance.now() - began);
  const passed = task.result?.state !== "fail";
  tests.push({ name: fullName(task), millis, passed, blocks: [...reached] });
  reached = around;
});

afterAll(() => {
  const folder = process.env.TANDEM_REACH_FOLDER;
  if (file === null || folder === undefined) return;
  const line: FileReach = { file: relative(process.cwd(), file), around: [...around], tests };
  appendFileSync(join(folder, `${String(process.pid)}.jsonl`), `${JSON.stringify(line)}\n`);
});

function fullName(task: RunnerTestCase): string {
  const names = [task.name];
  for (let above: RunnerTestSuite | undefined = task.suite; above; above = above.suite) {
    names.unshift(above.name);
  }
  return names.join(" ");
}
