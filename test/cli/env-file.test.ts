/** The CLI reads the `.env` file of the working folder, as other tools of the project do. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { addEnvFile } from "../../src/cli/context/env-file.ts";
import { configText, makeFolder } from "./project.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function given(files: Readonly<Record<string, string>>): string {
  const folder = makeFolder(files);
  folders.push(folder);
  return folder;
}

it("a variable is set from the file, unless it is set already", () => {
  const folder = given({
    ".env": '# the app\nDATABASE_URL="postgres://localhost/app"\nexport TOKEN=from-file\nEMPTY=1\n',
  });
  const env = { TOKEN: "from-shell", EMPTY: "" };
  addEnvFile(folder, env);
  expect(env).toEqual({
    DATABASE_URL: "postgres://localhost/app",
    TOKEN: "from-shell",
    EMPTY: "",
  });
});

it("without a file, or with a folder of that name, nothing is set", () => {
  const env = {};
  addEnvFile(given({}), env);
  const python = given({});
  mkdirSync(join(python, ".env"));
  addEnvFile(python, env);
  expect(env).toEqual({});
});

/** Runs `tandem status --json` in a process of its own. */
function statusIn(folder: string, env: Readonly<Record<string, string>> = {}): unknown {
  const [main, jiti] = ["../../src/cli/main.ts", "../../node_modules/jiti/lib/jiti-register.mjs"];
  const argv = ["--import", new URL(jiti, import.meta.url).href];
  const { stderr } = spawnSync(
    process.execPath,
    [...argv, fileURLToPath(new URL(main, import.meta.url)), "status", "--json"],
    { cwd: folder, env: { PATH: process.env.PATH, ...env }, encoding: "utf8" },
  );
  return (JSON.parse(stderr) as { readonly error: unknown }).error;
}

it("the configuration sees the file's variables", () => {
  const folder = given({
    ".env": "DATABASE_URL=mysql://localhost/app\n",
    "tandem.config.ts": configText("URL").replace('"URL"', "process.env.DATABASE_URL"),
  });
  expect(statusIn(folder)).toMatchObject({
    code: "unknown_database",
    message: expect.stringContaining('"mysql://"') as string,
  });
  expect(statusIn(folder, { DATABASE_URL: "mssql://localhost/app" })).toMatchObject({
    message: expect.stringContaining('"mssql://"') as string,
  });
});
