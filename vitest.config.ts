import { availableParallelism, totalmem } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const onDatabases = "test/{store,runtime,server,cli,situations,demo,processes}/**/*.test.ts";
const inBrowser = "test/browser/**/*.test.ts";

/**
 * One process for many files: loading the modules and a PGlite anew for each file costs a third of
 * the whole. Tests keep what they change to themselves.
 */
const TOGETHER = { isolate: false };

/**
 * Three projects. `unit` is pure and needs nothing; `integration` runs on real databases that
 * `test/harness` starts; `browser` drives Chromium. What is in neither of the others' folders is
 * `unit`, so that no test is left out by where it lies.
 */
export const suite = {
  test: {
    // One file more at once than there are cores, for a test waits for its database half of the time; and as many as
    // there is memory for: a PGlite takes up to 0.8 GB.
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
          // For what hangs, not for what is slow: a machine may stand still for a minute.
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
