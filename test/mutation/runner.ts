/**
 * Runs tests with one rule after another removed. Vitest stays, and keeps every module that it has transformed
 * except the module with the rule. Each run has a new process, which has loaded nothing yet. The file is changed as
 * it is loaded: nothing on disk is touched.
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createVitest, type Reporter, type TestCase, type Vite, type Vitest } from "vitest/node";
import { suite } from "../../vitest.config.ts";
import type { Fault } from "./mutant.ts";

/** The outcome of a run of tests. */
export interface Run {
  /** Whether there were tests to run: a file that does not load has none. */
  readonly ran: boolean;
  /** The first test that failed. */
  readonly failed: Failed | null;
}

export interface Failed {
  readonly test: string;
  readonly file: string;
}

export interface Tests {
  /** Paths below the repository's root. */
  readonly files: readonly string[];
  /** These tests of them only; default: all. */
  readonly names?: readonly string[];
  /** A run in which no test ends for so long has failed: a loop that no timer interrupts. Default: no limit. */
  readonly millis?: number;
}

export interface MutantRunner {
  /** Runs tests up to the first that fails, with a rule taken out or (`null`) with all in place. */
  run(mutant: Fault | null, tests: Tests): Promise<Run>;
  close(): Promise<void>;
}

export interface RunnerOptions {
  /** Files at a time. */
  readonly workers: number;
  /** For a test that waits for what never comes; default: the suite's. */
  readonly testMillis?: number;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

export async function openMutantRunner(options: RunnerOptions): Promise<MutantRunner> {
  const taking = new Taking();
  const seen = new Observer();
  const vitest = await createVitest(
    "test",
    { root, config: false, watch: false, bail: 1, reporters: [seen], maxWorkers: options.workers },
    {
      test: {
        projects: suite.test.projects.map(({ test }) => ({
          test: {
            ...test,
            setupFiles: ["test/mutation/draw-alike.ts"],
            ...(options.testMillis === undefined ? {} : { testTimeout: options.testMillis }),
          },
          plugins: [taking.plugin],
        })),
      },
    },
  );
  await vitest.standalone();
  // The global setup runs once for all runs, with every rule in place.
  const all = await vitest.globTestSpecifications();
  const oneOfEach = vitest.projects
    .filter(({ config }) => config.globalSetup.length > 0)
    .flatMap((project) => all.find((one) => one.project === project) ?? []);
  vitest.setGlobalTestNamePattern(/^$/);
  await vitest.runTestSpecifications(oneOfEach);

  const run = async (mutant: Fault | null, { files, names, millis }: Tests): Promise<Run> => {
    const wanted = new Set(files.map((file) => `${root}${file}`));
    const specifications = all.filter(({ moduleId }) => wanted.has(moduleId));
    if (names === undefined) vitest.resetGlobalTestNamePattern();
    else vitest.setGlobalTestNamePattern(new RegExp(`^(${names.map(literal).join("|")})$`));
    seen.startAnew();
    taking.startAnew(mutant);
    // The run before has left the module as it was, and this one leaves it as it was.
    if (mutant !== null) vitest.invalidateFile(pathOf(mutant));
    const limit = millis === undefined ? null : limitTo(millis, vitest);
    seen.onEnd = () => {
      limit?.restart();
    };
    let takenOut = false;
    try {
      await vitest.runTestSpecifications(specifications);
    } finally {
      limit?.lift();
      takenOut = taking.isDone();
      taking.startAnew(null);
      if (mutant !== null) vitest.invalidateFile(pathOf(mutant));
    }
    const { ran, failed, running } = seen;
    if (mutant !== null && failed !== null && !takenOut) {
      throw new Error(`mutant ${mutant.id}: a test fails that does not load ${mutant.file}`);
    }
    if (failed !== null || limit?.isOver() !== true) return { ran, failed };
    const [file = ""] = files;
    return { ran: true, failed: running ?? { test: names?.[0] ?? `${file} ends`, file } };
  };

  return {
    run,
    close: () => vitest.close(),
  };
}

/** Takes a rule out of its module as it is loaded. */
class Taking {
  #mutant: Fault | null = null;
  #done = false;

  readonly plugin: Vite.Plugin = {
    name: "tandem-mutant",
    enforce: "pre",
    transform: (code, id) => {
      if (this.#mutant === null || id.split("?")[0] !== pathOf(this.#mutant)) return null;
      const mutated = this.#mutant.apply(code);
      this.#done = true;
      return { code: mutated, map: null };
    },
  };

  startAnew(mutant: Fault | null): void {
    this.#mutant = mutant;
    this.#done = false;
  }

  /** Whether the module has been loaded without it. */
  isDone(): boolean {
    return this.#done;
  }
}

/** Ends a run in which no test ends for so long. A long run of many tests is no failure. */
function limitTo(millis: number, vitest: Vitest) {
  let over = false;
  const start = () =>
    // eslint-disable-next-line no-restricted-globals -- a loop that nothing interrupts heeds no clock of ours
    setTimeout(() => {
      over = true;
      // Asked, it waits for the tests' process to end by itself; asked again meanwhile, it ends it.
      void vitest.cancelCurrentRun("keyboard-input");
      void vitest.cancelCurrentRun("keyboard-input");
    }, millis);
  let timer = start();
  return {
    isOver: () => over,
    restart() {
      clearTimeout(timer);
      if (!over) timer = start();
    },
    lift() {
      clearTimeout(timer);
    },
  };
}

/** Hears what becomes of each test. */
class Observer implements Reporter {
  ran = false;
  failed: Failed | null = null;
  running: Failed | null = null;
  /** Called at the end of each test. */
  onEnd: () => void = () => undefined;

  startAnew(): void {
    this.ran = false;
    this.failed = null;
    this.running = null;
  }

  onTestCaseReady(test: TestCase): void {
    this.running = named(test);
  }

  onTestCaseResult(test: TestCase): void {
    this.ran = true;
    this.running = null;
    this.onEnd();
    if (test.result().state === "failed") this.failed ??= named(test);
  }
}

function named(test: TestCase): Failed {
  const names = [test.name];
  for (let above = test.parent; above.type === "suite"; above = above.parent) {
    names.unshift(above.name);
  }
  return { test: names.join(" "), file: relative(root, test.module.moduleId) };
}

function pathOf({ file }: Fault): string {
  return `${root}${file}`;
}

/** A name as a pattern that matches it alone. */
function literal(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
