/** A run of nothing proves nothing: a name that no mutant and no cell has is refused, not passed. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it.each([
  ["mutants", 'mutants_no_such_id: there is no mutant "typo". --list prints all ids.\n'],
  [
    "crash",
    'crash_no_such_cell: no cell\'s name contains "typo". Names are such as "kill before:send outbound update".\n',
  ],
])(
  "npm run %s -- --only typo is refused",
  async (script, stderr) => {
    const run = promisify(execFile)(
      process.execPath,
      ["--import", "jiti/register", `scripts/${script}.ts`, "--only", "typo", "--json"],
      { env: { PATH: process.env.PATH } },
    );
    await expect(run).rejects.toMatchObject({ code: 1, stdout: "", stderr });
  },
  60_000,
);
