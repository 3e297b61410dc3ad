import { defineConfig } from "vitest/config";

/**
 * Three projects. `unit` is pure and needs nothing; `integration` runs on real databases that
 * `test/harness` starts; `browser` drives Chromium and runs in `.ci/run` only.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/{model,engine,integrations,testing,dashboard,config}/**/*.test.ts"],
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/{store,runtime,server,cli,situations,demo}/**/*.test.ts"],
          globalSetup: ["test/harness/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
