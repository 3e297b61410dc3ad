/**
 * The suite with one rule taken out: `TANDEM_MUTANT` names the mutant. The file is changed as it is
 * loaded, so that nothing on disk is ever touched.
 */
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vitest/config";
import { suite } from "../../vitest.config.ts";
import { findMutant } from "./mutants.ts";
import { mutate } from "./mutant.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const name = process.env.TANDEM_MUTANT;
const mutant = name === undefined ? null : findMutant(name);

const plugin: Plugin = {
  name: "tandem-mutant",
  enforce: "pre",
  transform(code, id) {
    if (mutant === null || id.split("?")[0] !== `${root}${mutant.file}`) return null;
    return { code: mutate(code, mutant), map: null };
  },
};

export default defineConfig({
  root,
  test: {
    ...suite.test,
    // Mutants run beside each other; what runs first, with every rule in place, has the machine alone.
    ...(mutant === null ? {} : { maxWorkers: 1 }),
    projects: suite.test.projects.map(({ test }) => ({
      // Some mutants are missed by a test that then waits for ever.
      test: {
        ...test,
        setupFiles: ["test/mutation/draw-alike.ts"],
        ...(mutant === null ? {} : { testTimeout: 30_000 }),
      },
      plugins: [plugin],
    })),
  },
});
