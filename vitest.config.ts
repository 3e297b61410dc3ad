import { availableParallelism, totalmem } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const onDatabases = "test/{store,runtime,server,cli,situations,demo,processes}/**/*.test.ts";
const inBrowser = "test/browser/**/*.test.ts";

/**
 * Tests that take minutes: `npm run proof` runs all of them, and each run of CI a part. They are real processes and
 * servers that wait in real time, schedules that a machine found and deep variants of a story, other schemas, and tests
 * of the tests.
 */
const long = [
  "test/cli/demo.test.ts",
  "test/engine/schedules/{mutants,schedules}.test.ts",
  "test/processes/**/*.test.ts",
  "test/runtime/interleave.test.ts",
  "test/situations/**/found-by-simulation*.test.ts",
  "test/situations/deletions/{restore-children,returns*}.test.ts",
  "test/situations/identities/author-token-*.test.ts",
  "test/situations/model-traces.test.ts",
  "test/situations/moves/*.test.ts",
  "test/situations/receive/misbehaving-provider.test.ts",
  "test/situations/safety/{dying-workers,failover,generations,process-clock}.test.ts",
  "test/situations/zoo-stories.test.ts",
  "test/store/{harness,prepared-directory,silent-database}.test.ts",
  "test/testing/simulation.test.ts",
];

/**
 * One process for many files: loading the modules and a PGlite for each file would take a third of the time. So
 * tests must not change shared state.
 */
const TOGETHER = { isolate: false };

/** Detects tests that hang, not slow ones: a busy machine may stall for a minute. */
const HANGS = { testTimeout: 240_000, hookTimeout: 240_000 };

const DATABASES = { globalSetup: ["test/harness/global-setup.ts"] };

/**
 * Four projects. `unit` is pure and needs nothing; `integration` runs on real databases that
 * `test/harness` starts; `long` has the tests that take minutes; `browser` drives Chromium. All files that the others
 * do not name are `unit`, so that no test is left out.
 */
export const suite = {
  test: {
    // One file more than cores, because a test waits for its database half of the time, but no more than fit into
    // memory: a PGlite takes up to 0.8 GB.
    maxWorkers: Math.max(1, Math.min(availableParallelism() + 1, Math.floor(totalmem() / 2 ** 31))),
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [onDatabases, inBrowser, ...long],
          ...TOGETHER,
        },
      },
      {
        test: {
          name: "integration",
          include: [onDatabases],
          exclude: long,
          ...DATABASES,
          ...TOGETHER,
          ...HANGS,
        },
      },
      { test: { name: "long", include: long, ...DATABASES, ...TOGETHER, ...HANGS } },
      {
        test: {
          name: "browser",
          include: [inBrowser],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
} satisfies ViteUserConfig;

export default defineConfig(suite);
