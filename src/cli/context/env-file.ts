/** The `.env` file of the working folder, in which many projects keep their database's URL and their secrets. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

/**
 * Adds the variables in `cwd/.env` to `env`. A variable that is already set keeps its value, even an empty one.
 *
 * @throws CliError `env_file_unreadable` if there is a file, and it cannot be read.
 *
 * @example
 * addEnvFile(process.cwd(), process.env); // DATABASE_URL=postgres://localhost/app
 */
export function addEnvFile(cwd: string, env: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(parseEnv(readEnvFile(cwd)))) env[name] ??= value;
}

function readEnvFile(cwd: string): string {
  try {
    return readFileSync(join(cwd, ".env"), "utf8");
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    // Some projects have a folder of this name: a Python environment.
    if (code === "ENOENT" || code === "EISDIR") return "";
    throw new CliError(
      EXIT.config,
      "env_file_unreadable",
      `.env cannot be read: ${message}`,
      "Let this user read the file, or run the command in another folder.",
      { cause: thrown },
    );
  }
}
