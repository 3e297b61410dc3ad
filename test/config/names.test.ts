/** A name occurs once in the code base: one file of `src` defines it for the others. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const DEFINITION =
  /^export (?:async |abstract )*(?:function\*?|const|class|interface|type|enum) (\w+)/gm;

/** Both stores implement the same interface, so the second name is the same subject. */
function subjectOf(file: string): string {
  return file.replace(/^store\/(?:postgres|memory)\//, "store/*/");
}

function namesDefinedTwice(): readonly string[] {
  const files = new Map<string, Set<string>>();
  for (const file of readdirSync("src", { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(file)) continue;
    for (const [, name = ""] of readFileSync(`src/${file}`, "utf8").matchAll(DEFINITION)) {
      files.set(name, (files.get(name) ?? new Set()).add(subjectOf(file)));
    }
  }
  return [...files].flatMap(([name, defining]) => (defining.size > 1 ? [name] : [])).sort();
}

it("no two files of src export definitions of one name", () => {
  expect(namesDefinedTwice()).toEqual([]);
});
