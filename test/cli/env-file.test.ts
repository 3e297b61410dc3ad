/** The CLI reads the `.env` file of the working folder, as other tools of the project do. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { addEnvFile } from "../../src/cli/context/env-file.ts";
import { makeFolder } from "./project.ts";
import { openTerminal } from "./terminal.ts";

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

it("each command reads the file before it loads the configuration", async () => {
  const folder = given({
    ".env": "FROM_FILE=here\n",
    "tandem.config.ts": "export default {};\n",
  });
  const env: Record<string, string> = {};
  const { code } = await openTerminal({ cwd: folder, env }).tandem("status");
  expect({ code, env }).toEqual({ code: 3, env: { FROM_FILE: "here" } });
});
