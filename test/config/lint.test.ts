/** The lint rules of our own really fire: a rule that matches nothing passes every file. */
import { ESLint } from "eslint";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import tseslint from "typescript-eslint";
import { beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Without types: the rules under test need none, and the snippets are in no project. */
const eslint = new ESLint({
  cwd: root,
  overrideConfig: tseslint.configs.disableTypeChecked,
});

/** The first text loads the whole configuration, which takes a busy machine longer than a test may. */
beforeAll(() => eslint.lintText("export {};", { filePath: "src/model/a.ts" }), 60_000);

/** The rules that refuse `code`, were it in the file `path`; each once. */
async function refusals(path: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: path });
  return [...new Set(result?.messages.map(({ ruleId, message }) => ruleId ?? message))];
}

it.each([
  ["src/model/a.ts", "src/engine/admission/index.ts"],
  ["src/engine/lane/a.ts", "src/runtime/services/index.ts"],
  ["src/engine/lane/a.ts", "src/store/store.ts"],
  ["src/store/store.ts", "src/runtime/worker/index.ts"],
  ["src/store/postgres/a.ts", "src/runtime/worker/index.ts"],
  ["src/store/postgres/a.ts", "src/store/memory/store.ts"],
  ["src/integrations/integration.ts", "src/integrations/github/client.ts"],
  ["src/integrations/github/a.ts", "src/engine/merge/index.ts"],
  ["src/integrations/github/a.ts", "src/integrations/redmine/client.ts"],
  ["src/runtime/records/a.ts", "src/store/postgres/store.ts"],
  ["src/runtime/records/a.ts", "src/integrations/github/client.ts"],
  ["src/runtime/records/a.ts", "src/compose.ts"],
  ["src/compose.ts", "src/server/app.ts"],
  ["src/compose.ts", "src/index.ts"],
  ["src/server/a.ts", "src/store/postgres/store.ts"],
  ["src/server/a.ts", "src/cli/main.ts"],
  ["src/dashboard/a.ts", "src/server/app.ts"],
  ["src/cli/a.ts", "src/dashboard/app.ts"],
  ["src/testing/a.ts", "src/cli/main.ts"],
  ["src/testing/a.ts", "src/demo/sample-app.ts"],
  ["src/index.ts", "src/testing/index.ts"],
])("%s must not import %s, not even its types", async (from, to) => {
  expect(await refusals(from, importOf("A", from, to))).toContain("tandem/import-direction");
});

it.each([
  ["src/engine/lane/a.ts", "src/engine/merge/index.ts", "is below"],
  ["src/runtime/inbound/a.ts", "src/runtime/outbound/index.ts", "is below"],
  ["src/engine/merge/a.ts", "src/engine/lane/claim.ts", "index.ts"],
  ["src/runtime/inbound/a.ts", "src/engine/merge/plan.ts", "index.ts"],
  ["src/compose.ts", "src/runtime/worker/loop.ts", "index.ts"],
  ["src/store/postgres/lanes/a.ts", "src/store/postgres/records/index.ts", "is below"],
  ["src/store/postgres/lanes/a.ts", "src/store/postgres/postgres-store.ts", "is below"],
  ["src/store/postgres/migrate.ts", "src/store/postgres/driver/brief-lock.ts", "index.ts"],
  ["src/store/memory/lanes/a.ts", "src/store/memory/memory-store.ts", "is below"],
  ["src/store/store.ts", "src/store/rules/index.ts", "is below"],
  ["src/store/postgres/a.ts", "src/store/database/pipeline.ts", "index.ts"],
  ["src/store/postgres/a.ts", "src/store/elsewhere/index.ts", "is no folder"],
  ["src/engine/merge/a.ts", "src/engine/elsewhere/index.ts", "is no folder"],
  ["src/dashboard/a.ts", "src/server/protocol/problem.ts", "index.ts"],
  ["src/testing/simulation/world/a.ts", "src/testing/simulation/judge/index.ts", "is below"],
  ["src/testing/interleave/a.ts", "src/testing/simulation/judge/verdict.ts", "index.ts"],
])("from %s, folder by folder: %s is refused", async (from, to, why) => {
  const [result] = await eslint.lintText(importOf("A", from, to), { filePath: from });
  expect(result?.messages.map(({ message }) => message)).toContainEqual(
    expect.stringContaining(why),
  );
});

it("a folder imports those before it by their doors, and its own files", async () => {
  expect(
    await refusals(
      "src/engine/merge/a.ts",
      importOf("A", "src/engine/merge/a.ts", "src/engine/lane/index.ts"),
    ),
  ).toEqual([]);
  expect(
    await refusals(
      "src/engine/merge/a.ts",
      importOf("A", "src/engine/merge/a.ts", "src/engine/merge/plan.ts"),
    ),
  ).toEqual([]);
});

it.each([
  ["a module that needs this one", 'import { admit } from "../processing/reopened.ts";'],
  ["its types alone", 'import type { Admission } from "../processing/reopened.ts";'],
  ["its re-exports", 'export { admit } from "../processing/reopened.ts";'],
])("no circle: src/engine/admission/admit.ts must not import %s", async (_, code) => {
  expect(await refusals("src/engine/admission/admit.ts", code)).toContain("tandem/import-circle");
});

it("a module that does not lead back may be imported", async () => {
  const code = 'import type { Context } from "./context.ts";\nexport type A = Context;';
  expect(await refusals("src/engine/admission/admit.ts", code)).toEqual([]);
});

it.each([
  ["src/store/store.ts", "src/engine/merge/index.ts"],
  ["src/dashboard/a.ts", "src/model/event.ts"],
  ["src/dashboard/a.ts", "src/server/protocol/index.ts"],
  ["src/dashboard/a.ts", "src/demo/api-types.ts"],
])("%s may import the types of %s, and nothing else of it", async (from, to) => {
  expect(await refusals(from, importOf("A", from, to))).toEqual([]);
  expect(await refusals(from, importOf("a", from, to))).toEqual(["tandem/import-direction"]);
});

it.each([
  ["src/engine/lane/a.ts", "src/model/event.ts"],
  ["src/runtime/records/a.ts", "src/engine/merge/index.ts"],
  ["src/runtime/records/a.ts", "src/store/store.ts"],
  ["src/runtime/records/a.ts", "src/integrations/integration.ts"],
  ["src/store/postgres/a.ts", "src/store/store.ts"],
  ["src/integrations/github/a.ts", "src/integrations/integration.ts"],
  ["src/compose.ts", "src/store/postgres/store.ts"],
  ["src/server/a.ts", "src/compose.ts"],
  ["src/cli/a.ts", "src/server/app.ts"],
  ["src/testing/a.ts", "src/runtime/worker/index.ts"],
  ["test/engine/a.test.ts", "src/engine/merge/plan.ts"],
])("%s may import %s", async (from, to) => {
  expect(await refusals(from, importOf("a", from, to))).toEqual([]);
});

it.each([
  ["a driver", "src/runtime/records/a.ts", 'import pg from "pg";'],
  ["a driver, later", "src/server/a.ts", 'export const a = () => import("@electric-sql/pglite");'],
  ["a provider's client", "src/runtime/records/a.ts", 'export { Octokit } from "@octokit/core";'],
  ["an unpublished module", "src/runtime/records/a.ts", 'import { a } from "../../test/a.ts";'],
  ["anything, being no layer", "src/elsewhere/a.ts", 'import { a } from "../model/event.ts";'],
])("nothing goes round the direction: %s", async (_, path, code) => {
  expect(await refusals(path, code)).toContain("tandem/import-direction");
});

it.each([
  ["the time", "export const a = Date.now();"],
  ["the time, taken apart", "const { now } = Date; export const a = now();"],
  ["the time as a date", "export const a = new Date();"],
  ["the time as text", "export const a = Date();"],
  ["randomness", "export const a = Math.random();"],
  ["randomness of the system", "export const a = crypto.randomUUID();"],
  [
    "randomness of Node",
    'import { randomUUID } from "node:crypto"; export const a = randomUUID();',
  ],
  ["all of node:crypto", 'import * as all from "node:crypto"; export const a = all;'],
  ["the disk", 'import { readFileSync } from "node:fs"; export const a = readFileSync;'],
  ["a package", 'import { Hono } from "hono"; export const a = Hono;'],
  ["a package, later", 'export const a = () => import("zod");'],
  ["the environment", "export const a = process.env.HOME;"],
  ["the environment, the long way", "export const a = globalThis.process;"],
  ["the log", 'console.log("a");'],
  ["the network", 'export const a = () => fetch("https://example.org");'],
  ["a timer", "setTimeout(() => undefined, 1);"],
  ["a promise", "export const a = Promise.resolve();"],
  ["a promise's type", "export type A = Promise<void>;"],
  ["an async function", "export async function a() { return 1; }"],
  ["an async arrow", "export const a = async () => 1;"],
  ["state", "let a = 0; export const b = () => (a += 1);"],
])("a decision must not see %s", async (_, code) => {
  for (const path of ["src/model/a.ts", "src/engine/a.ts"]) {
    const fired = await refusals(path, code);
    expect(fired.some((rule) => /^no-(restricted-|console)/.test(rule))).toBe(true);
  }
});

it("a decision may hash, read a given time, and use zod", async () => {
  const code = `import { createHash } from "node:crypto";
import { z } from "zod";
export const a = (x: number) => [createHash("sha256"), new Date(x), z.string(), Math.max(x, 1)];`;
  expect(await refusals("src/engine/a.ts", code)).toEqual([]);
});

it.each([
  ["no-console", "src/runtime/records/a.ts", 'console.log("a");'],
  ["no-restricted-properties", "src/runtime/records/a.ts", "process.exit(1);"],
  ["no-restricted-properties", "src/server/a.ts", 'process.stdout.write("a");'],
  ["no-restricted-imports", "src/server/a.ts", 'import { exit } from "node:process"; exit(1);'],
  ["import-x/no-default-export", "src/runtime/records/a.ts", "export default 1;"],
  ["import-x/no-extraneous-dependencies", "src/runtime/records/a.ts", 'import "fast-check";'],
  ["no-restricted-globals", "src/runtime/records/a.ts", "export const a = event;"],
  ["eqeqeq", "src/runtime/records/a.ts", "export const a = (b: string) => b == '';"],
  [
    "@typescript-eslint/no-explicit-any",
    "src/runtime/records/a.ts",
    "export const a = (b: any) => b;",
  ],
  [
    "@typescript-eslint/no-non-null-assertion",
    "test/model/a.ts",
    "export const a = (b?: 1) => b!;",
  ],
  ["tandem/file-name", "src/runtime/utils.ts", "export {};"],
  ["tandem/file-name", "src/runtime/lease-manager.ts", "export {};"],
  ["tandem/file-name", "test/helpers/a.ts", "export {};"],
  ["tandem/file-name", "src/shared/a.ts", "export {};"],
  ["tandem/reasoned-disable", "src/runtime/records/a.ts", "/* eslint-disable */"],
  [
    "tandem/reasoned-disable",
    "src/runtime/records/a.ts",
    "/* eslint-disable no-console -- quicker */",
  ],
  [
    "tandem/reasoned-disable",
    "src/runtime/records/a.ts",
    "// eslint-disable-next-line\nconsole.log(1);",
  ],
  ["tandem/reasoned-disable", "src/cli/a.ts", "// eslint-disable-next-line eqeqeq\nexport {};"],
  ["tandem/linear-regex", "src/model/a.ts", String.raw`export const a = /\s*\n\s*/g;`],
  ["tandem/linear-regex", "src/server/a.ts", String.raw`export const a = /(?:[ \t]+$)/;`],
  ["no-restricted-globals", "test/runtime/a.test.ts", "setTimeout(() => undefined, 5);"],
  ["no-restricted-syntax", "test/runtime/a.test.ts", 'vi.mock("../../src/engine/merge/plan.ts");'],
  ["no-restricted-syntax", "test/runtime/a.test.ts", 'it.only("a", () => undefined);'],
  ["no-restricted-syntax", "test/runtime/a.test.ts", 'it("a", { retry: 2 }, () => undefined);'],
])("%s refuses in %s: %s", async (rule, path, code) => {
  expect(await refusals(path, code)).toContain(rule);
});

it.each([
  ["src/cli/main.ts", 'console.log("a"); process.exit(1);'],
  ["src/runtime/lease-lost.ts", "export {};"],
  ["src/model/a.ts", String.raw`export const a = [/^\s*\n/, /(?<!\/)\/+$/, /\s+/g, /a+|b/];`],
  ["tandem.config.ts", "export default {};"],
  [
    "src/runtime/records/a.ts",
    "// eslint-disable-next-line no-console -- it is the logger\nconsole.log(1);",
  ],
])("nothing is refused in %s: %s", async (path, code) => {
  expect(await refusals(path, code)).toEqual([]);
});

it.each(["Who", "what", "Whoever", "Nobody", "where", "Of"])(
  "a sentence that begins with %s is refused in comments, titles and messages",
  async (beginning) => {
    const sentence = `${beginning} waits for a parent is woken`;
    for (const code of [
      `// ${sentence}.`,
      `it("${sentence}");`,
      `throw new Error(\`${sentence}\`);`,
    ])
      expect(await refusals("src/model/a.ts", code)).toEqual(["tandem/plain-words"]);
  },
);

it.each([
  "// A batch wakes the children that wait for their parent.",
  "// What wakes a child that waits for its parent?",
  'export const a = "where id = any (array(select id from due))";',
  'export const a = "where instance.adopted_at <= $2::timestamptz";',
])("plain words: %s is allowed", async (code) => {
  expect(await refusals("test/mutation/a.ts", code)).toEqual([]);
});

it("npm run lint checks the sentences of the pages, and they pass", async () => {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(scripts.lint).toBe("eslint . && node scripts/plain-words.mjs");
  const { stdout } = await promisify(execFile)("node", ["scripts/plain-words.mjs"], { cwd: root });
  expect(stdout).toBe("0 sentences to mend\n");
}, 60_000);

it("a file of more than 400 lines is refused, comments and blank lines included", async () => {
  expect(await refusals("src/runtime/records/a.ts", "// a line\n".repeat(400))).toEqual([]);
  expect(await refusals("src/runtime/records/a.ts", "// a line\n\n".repeat(201))).toEqual([
    "max-lines",
  ]);
});

/** An import of a type (`A`) or a value (`a`), used, with the path as the importing file sees it. */
function importOf(name: "A" | "a", from: string, to: string): string {
  const path = `${"../".repeat(from.split("/").length - 1)}${to}`;
  return name === "A"
    ? `import type { A } from "./${path}";\nexport type B = A;`
    : `import { a } from "./${path}";\nexport const b = a;`;
}
