/** A folder of `src` is read at one look: it has at most sixteen source files. */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";

const MOST_FILES = 16;

function sourcesByFolder(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const file of readdirSync("src", { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(file)) continue;
    const folder = dirname(`src/${file}`);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}

it(`no folder of src has more than ${MOST_FILES} source files`, () => {
  const tooLarge = [...sourcesByFolder()].filter(([, files]) => files > MOST_FILES);
  expect(tooLarge).toEqual([]);
});
