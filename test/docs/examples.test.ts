/** The TypeScript of README and guide is part of programs that the type check compiles. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFile(new URL(path, root), "utf8");

/** Without white space and trailing commas, which depend on the nesting of a part. */
const dense = (code: string) => code.replaceAll(/\s+/g, "").replaceAll(/,$/g, "");

/** A program of this repository, with the imports of a user. */
const asUser = (program: string) =>
  program
    .replaceAll("../../../src/index.ts", "tandem-sync")
    .replaceAll("../../../src/integrations/github/index.ts", "tandem-sync/github");

it.each([
  ["README.md", "tandem.config.ts"],
  ["docs/guide.md", "guide.ts"],
  ["docs/mount.md", "mount.ts", "next-route.ts"],
])("each example of %s is a part of test/docs/examples/%s", async (page, ...files) => {
  const programs = await Promise.all(files.map((file) => read(`test/docs/examples/${file}`)));
  const program = dense(asUser(programs.join("\n")));
  const examples = [...(await read(page)).matchAll(/^```ts\n([^]*?)^```/gm)];
  expect(examples.length).toBeGreaterThan(0);
  const strange = examples.filter(([, code = ""]) => !program.includes(dense(code)));
  expect(strange.map(([, code]) => code)).toEqual([]);
});
