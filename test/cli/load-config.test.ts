/** A configuration is found, is read as TypeScript, and says what is wrong with it. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/cli/context/load-config.ts";
import * as github from "../../src/integrations/github/index.ts";
import * as library from "../../src/index.ts";
import { configText, makeFolder } from "./project.ts";
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

async function failure(folder: string, ...argv: string[]): Promise<unknown> {
  const { code, out, err } = await openTerminal({ cwd: folder }).tandem(
    "status",
    "--json",
    ...argv,
  );
  expect(out).toBe("");
  // A failure is one line of JSON.
  const { error } = JSON.parse(err) as { error: Record<string, string> };
  return { exit: code, ...error };
}

describe("a configuration", () => {
  it("may be TypeScript, in a folder without node_modules", async () => {
    const folder = given({ "tandem.config.ts": configText("postgres://db.example/app") });
    const config = await loadConfig(folder, undefined);
    expect(config.database).toBe("postgres://db.example/app");
    expect(Object.keys(config.records)).toEqual(["tasks"]);
  });

  it.each(["tandem.config.mts", "tandem.config.js", "tandem.config.mjs"])(
    "may be called %s",
    async (name) => {
      const folder = given({ [name]: "export default { integrations: {}, records: {} };" });
      expect(await loadConfig(folder, undefined)).toEqual({ integrations: {}, records: {} });
    },
  );

  it("may keep a journal of a record and sync nothing", async () => {
    const folder = given({
      "tandem.config.js":
        "export default { integrations: {}, records: { orders: { journal: true } } };",
    });
    const { records } = await loadConfig(folder, undefined);
    expect(records).toEqual({ orders: { journal: true } });
  });

  it("may lie elsewhere, and import modules of its own", async () => {
    const folder = given({
      "sync.ts": 'export const records: object = {}; export const database = "memory://";',
      "other.ts":
        'import { database, records } from "./sync.ts"; export default { database, integrations: {}, records };',
    });
    expect(await loadConfig("/", join(folder, "other.ts"))).toMatchObject({
      database: "memory://",
    });
  });

  it("gets this very package, not a second instance", async () => {
    const folder = given({
      "tandem.config.ts": `
        import * as library from "tandem-sync";
        import * as github from "tandem-sync/github";
        export default { integrations: {}, records: {}, library, github };`,
    });
    const config = await loadConfig(folder, undefined);
    expect(Reflect.get(config, "library")).toHaveProperty("ConfigError", library.ConfigError);
    expect(Reflect.get(config, "github")).toHaveProperty("github", github.github);
  });
});

describe("a wrong configuration ends with 3", () => {
  it("there is none", async () => {
    const folder = given({});
    expect(await failure(folder)).toEqual({
      exit: 3,
      code: "config_not_found",
      message: `there is no tandem.config.ts in ${folder}`,
      hint: expect.stringContaining("--config"),
    });
    expect(await failure(folder, "--config", "else.ts")).toMatchObject({
      exit: 3,
      code: "config_not_found",
      message: "there is no file else.ts",
    });
  });

  it.each([
    ["it is no TypeScript", "export default {", "config_failed", "tandem.config.ts"],
    ["it throws", 'throw new Error("no DATABASE_URL");', "config_failed", "no DATABASE_URL"],
    [
      "it imports what is not there",
      'import "./absent.ts"; export default {};',
      "config_failed",
      "absent.ts",
    ],
    [
      "it exports nothing",
      "export const config = {};",
      "config_invalid",
      "exports no configuration",
    ],
    ["it exports something else", "export default { records: [] };", "config_invalid", "records"],
  ])("%s", async (_, text, code, message) => {
    expect(await failure(given({ "tandem.config.ts": text }))).toEqual({
      exit: 3,
      code,
      message: expect.stringContaining(message),
      hint: expect.stringMatching(/\.$/),
    });
  });

  it("it names what does not exist: where, and what there is", async () => {
    const text = configText("memory://").replace('title: "title"', 'title: "titel"');
    expect(await failure(given({ "tandem.config.ts": text }))).toMatchObject({
      exit: 3,
      code: "unknown_field",
      message: expect.stringContaining('records.tasks.sync["github.issue"].fields.title'),
      hint: expect.stringContaining("title"),
    });
  });

  it("with --verbose it shows where it fails", async () => {
    const folder = given({ "tandem.config.ts": 'throw new Error("no DATABASE_URL");' });
    const { err } = await openTerminal({ cwd: folder }).tandem("status", "--verbose");
    expect(err).toMatch(/caused by: Error: no DATABASE_URL\n +at .*tandem\.config\.ts/);
  });
});
