import { availableParallelism, totalmem } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const onDatabases = "test/{store,runtime,server,cli,situations,demo,processes}/**/*.test.ts";
const inBrowser = "test/browser/**/*.test.ts";

/**
 * One process for many files: loading the modules and a PGlite for each file would take a third of the time. So
 * tests must not change shared state.
 */
const TOGETHER = { isolate: false };

/**
 * Three projects. `unit` is pure and needs nothing; `integration` runs on real databases that
 * `test/harness` starts; `browser` drives Chromium. All files outside the folders of the other two are
 * `unit`, so that no test is left out.
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
          exclude: [onDatabases, inBrowser],
          ...TOGETHER,
        },
      },
      {
        test: {
          name: "integration",
          include: [onDatabases],
          globalSetup: ["test/harness/global-setup.ts"],
          ...TOGETHER,
          // Detects tests that hang, not slow ones: a busy machine may stall for a minute.
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
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
