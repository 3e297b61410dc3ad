/** Finds and loads the user's configuration. Node 20 cannot read TypeScript; jiti can. */
import { existsSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { createJiti } from "jiti";
import { z } from "zod";
import { type AnyConfig, ConfigError } from "../../config.ts";
import * as library from "../../index.ts";
import * as github from "../../integrations/github/index.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

const NAMES = ["tandem.config.ts", "tandem.config.mts", "tandem.config.js", "tandem.config.mjs"];

const EXAMPLE =
  'Write `export default defineConfig({ integrations: { github: github() }, records: { ... } })`, with defineConfig from "tandem-sync" and github from "tandem-sync/github".';

const shape = z.looseObject({
  database: z.union([z.string(), z.object()]).optional(),
  integrations: z.record(z.string(), z.object()),
  records: z.record(z.string(), z.object()),
});

/**
 * Loads the configuration at `path`, or the one in `cwd`.
 *
 * @throws CliError if there is none, or it cannot be used.
 */
export async function loadConfig(cwd: string, path: string | undefined): Promise<AnyConfig> {
  const file = findConfig(cwd, path);
  const name = nameOf(cwd, file);
  // One instance of the package's own modules for every importer, even within this repository.
  const virtualModules = { "tandem-sync": library, "tandem-sync/github": github };
  const jiti = createJiti(import.meta.url, { virtualModules, fsCache: false, moduleCache: false });
  const loaded = await jiti.import(file, { default: true }).catch((thrown: unknown) => {
    // The error has a code, a path and a hint of its own.
    if (thrown instanceof ConfigError) throw thrown;
    throw new CliError(
      EXIT.config,
      "config_failed",
      `${name} cannot be loaded: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      "Correct the file; --verbose shows the stack trace.",
      { cause: thrown },
    );
  });
  const parsed = shape.safeParse(loaded);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path: at, message }) => `${at.length === 0 ? "default export" : at.join(".")}: ${message}`,
    );
    throw new CliError(
      EXIT.config,
      "config_invalid",
      `${name} exports no configuration (${problems.join("; ")})`,
      EXAMPLE,
    );
  }
  // `compileConfig` checks the rest, and reports the path of each mistake.
  return loaded as AnyConfig;
}

function findConfig(cwd: string, path: string | undefined): string {
  if (path !== undefined) {
    const file = resolve(cwd, path);
    if (existsSync(file)) return file;
    throw new CliError(
      EXIT.config,
      "config_not_found",
      `there is no file ${path}`,
      "Correct --config, or leave it out to use the tandem.config.ts of this folder.",
    );
  }
  const found = NAMES.map((name) => join(cwd, name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new CliError(
    EXIT.config,
    "config_not_found",
    `there is no tandem.config.ts in ${cwd}`,
    "Go to your project's folder, name the file with --config, ask a running server with --url, or try `tandem start --demo`, which needs no configuration.",
  );
}

function nameOf(cwd: string, file: string): string {
  const near = relative(cwd, file);
  return near.startsWith("..") || isAbsolute(near) ? file : near;
}
