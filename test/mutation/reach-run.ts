/** Runs the suite once with every block telling that it is reached, and keeps what was learnt. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createVitest, type Vite } from "vitest/node";
import { suite } from "../../vitest.config.ts";
import { instrumented } from "./reach.ts";
import type { FileReach } from "./reach-setup.ts";

/** A test, and how long it took when nothing was changed. */
export interface TimedTest {
  readonly file: string;
  readonly name: string;
  readonly millis: number;
}

export interface Reach {
  readonly tests: readonly TimedTest[];
  /** By `FILE:NUMBER` of a block, the places in `tests` of those that reach it. */
  readonly reaching: Readonly<Record<string, readonly number[]>>;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Tests that load the product in other processes, or that judge mutants themselves. */
const ELSEWHERE = /^test\/(processes|browser|mutation|bench|config|scripts)\//;

/**
 * The code that each test reaches. Measured once for each state of the code, and kept in
 * `node_modules/.cache`.
 */
export async function reachOfSuite(): Promise<Reach> {
  const kept = join(root, "node_modules/.cache/tandem", `reach-${digestOfTree()}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8")) as Reach;
  const folder = mkdtempSync(join(tmpdir(), "tandem-reach-"));
  try {
    await runInstrumented(folder);
    const reach = reachFrom(readLines(folder));
    mkdirSync(join(root, "node_modules/.cache/tandem"), { recursive: true });
    writeFileSync(kept, JSON.stringify(reach));
    return reach;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The map from blocks to tests. A test that fails with nothing changed judges nothing. */
export function reachFrom(files: readonly FileReach[]): Reach {
  const tests: TimedTest[] = [];
  const reaching: Record<string, number[]> = {};
  for (const { file, around, tests: told } of files) {
    for (const { name, millis, passed, blocks } of told) {
      if (!passed) continue;
      const place = tests.push({ file, name, millis }) - 1;
      for (const block of new Set([...around, ...blocks])) (reaching[block] ??= []).push(place);
    }
  }
  return { tests, reaching };
}

async function runInstrumented(folder: string): Promise<void> {
  const tell: Vite.Plugin = {
    name: "tandem-reach",
    enforce: "pre",
    transform: (code, id) => {
      const file = relative(root, id.split("?")[0] ?? "");
      if (!file.startsWith("src/") || !file.endsWith(".ts")) return null;
      return { code: instrumented(file, code), map: null };
    },
  };
  process.env.TANDEM_REACH_FOLDER = folder;
  const vitest = await createVitest(
    "test",
    { root, config: false, watch: false, reporters: ["dot"], maxWorkers: suite.test.maxWorkers },
    {
      test: {
        projects: suite.test.projects.map(({ test }) => ({
          test: {
            ...test,
            setupFiles: ["test/mutation/draw-alike.ts", "test/mutation/reach-setup.ts"],
          },
          plugins: [tell],
        })),
      },
    },
    // The progress goes beside the report, which may be JSON on stdout.
    { stdout: process.stderr },
  );
  try {
    await vitest.standalone();
    const all = await vitest.globTestSpecifications();
    await vitest.runTestSpecifications(
      all.filter(({ moduleId }) => !ELSEWHERE.test(relative(root, moduleId))),
    );
  } finally {
    await vitest.close();
    // A test that fails without any change is left out of the map; the run's exit code is not ours.
    process.exitCode = 0;
  }
}

function readLines(folder: string): readonly FileReach[] {
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as FileReach);
}

function digestOfTree(): string {
  const hash = createHash("sha256");
  for (const top of ["src", "test", "migrations"]) {
    const files = readdirSync(join(root, top), { recursive: true, encoding: "utf8" }).sort();
    for (const file of files) {
      if (/\.(ts|tsx|sql|json)$/.test(file)) {
        hash.update(file).update(readFileSync(join(root, top, file)));
      }
    }
  }
  return hash.digest("hex").slice(0, 16);
}
