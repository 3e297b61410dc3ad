/** The page's table of clauses: what it names is there, and no rule that a model loses is left out. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { matrix } from "../../spec/matrix.ts";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");
const page = await read("spec/README.md");
const mutants = await read("docs/mutants.md");

const start = page.indexOf("## Which clause closes which schedule");
const clauses = page
  .slice(start, page.indexOf("\n## ", start + 1))
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
  .slice(1)
  .map((line) => {
    const [clause = "", rows = "", reason = ""] = line
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    return { clause, rows: named(rows), reason, elsewhere: named(reason) };
  });
const refuted = matrix.filter(({ without }) => without !== undefined).map(({ name }) => name);

function named(cell: string): readonly string[] {
  return [...cell.matchAll(/`([a-z0-9-]+)`/g)].map(([, name = ""]) => name);
}

describe("the table of clauses", () => {
  it("has one row for each clause, of both sections", () => {
    expect(clauses.filter(({ clause }) => clause.startsWith("4, ")).length).toBeGreaterThan(20);
    expect(clauses.filter(({ clause }) => clause.startsWith("5, ")).length).toBeGreaterThan(20);
    expect(new Set(clauses.map(({ clause }) => clause)).size).toBe(clauses.length);
    for (const row of ["1", "2", "3", "4", "5", "6", "7"]) {
      expect(clauses.some(({ clause }) => clause.startsWith(`4, row ${row}`))).toBe(true);
    }
  });

  it.each(clauses)("'$clause' has a row that is refuted, or a reason", ({ rows, reason }) => {
    expect(rows.filter((row) => !refuted.includes(row))).toEqual([]);
    expect(rows.length > 0 || reason !== "").toBe(true);
  });

  it.each(clauses)("'$clause' names mutants of the code that are there", ({ elsewhere }) => {
    expect(elsewhere.filter((id) => !mutants.includes(`| \`${id}\``))).toEqual([]);
  });

  it.each(refuted)("%s is refuted for a clause", (row) => {
    expect(clauses.some(({ rows }) => rows.includes(row))).toBe(true);
  });
});
