/** What the page on the models says of the code is so: it names functions that are there. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { flagsOf, matrix } from "../../spec/matrix.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFile(new URL(path, root), "utf8");
const page = await read("spec/README.md");
const named = [...page.matchAll(/`(\w+)` in `(src\/[\w/.-]+)`/g)].map(([, name, file]) => ({
  name: name ?? "",
  file: file ?? "",
}));

describe("the page on the models", () => {
  it("maps moves to functions at all", () => {
    expect(named.length).toBeGreaterThan(20);
    const rows = page.split("\n").filter((line) => line.includes("` in `src/"));
    expect(rows.length).toBeGreaterThan(20);
  });

  it.each(named)("$name is exported from $file", async ({ name, file }) => {
    expect(await read(file)).toMatch(new RegExp(`^export (async )?function ${name}\\b`, "m"));
  });

  it("tells of every model", () => {
    for (const model of new Set(matrix.map((row) => row.model))) {
      expect(page).toContain(`\`${model}.pml\``);
    }
  });
});

describe("the matrix", () => {
  it("names each row once", () => {
    expect(new Set(matrix.map(({ name }) => name)).size).toBe(matrix.length);
  });

  it("refutes what lacks a rule, and only that", () => {
    const odd = matrix.filter(({ without, expect: expected }) => {
      return expected === "holds" && without !== undefined;
    });
    expect(odd).toEqual([]);
  });

  it.each(matrix)("$name defines only what its model knows", async (row) => {
    const text = await read(`spec/${row.model}.pml`);
    for (const flag of flagsOf(row)) {
      const [name = ""] = flag.split("=");
      expect(text).toMatch(new RegExp(`(#if(n?def)?|#elif|defined\\().*\\b${name}\\b`));
    }
  });
});
