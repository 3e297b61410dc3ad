/** The mutants follow the code: each rule is still where it is taken out, and its table is published. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mutate } from "./mutant.ts";
import { mutants } from "./mutants.ts";
import { reasonLines, WITHOUT_RULE } from "./reasons.ts";
import { lineOf, missedBy, reasonLine, tableOf } from "./table.ts";

describe.each(mutants)("the mutant $id", (mutant) => {
  it("finds its rule in the code, once, and takes it out", () => {
    const source = readFileSync(mutant.file, "utf8");
    expect(mutate(source, mutant)).not.toBe(source);
    expect((mutant.killedBy ?? []).filter((file) => !existsSync(file))).toEqual([]);
  });
});

it("every mutant is named once", () => {
  const ids = mutants.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

it("docs/mutants.md tells of each by which test it is missed", () => {
  const page = readFileSync("docs/mutants.md", "utf8");
  expect(page).not.toContain("**nothing**");
  for (const mutant of mutants) {
    const row = lineOf({ ...mutant, killedBy: "" });
    expect(page, `run npm run mutants -- --write`).toContain(row.slice(0, row.lastIndexOf("|  |")));
  }
});

describe("the reasons of events", () => {
  const lines = reasonLines(mutants);

  it.each(lines)("$reason has a rule behind it that is taken out, or says why not", (line) => {
    expect(line.behind).not.toEqual([]);
  });

  it("none is said to have no rule that has one", () => {
    const ruled = mutants.flatMap(({ reasons = [] }) => reasons);
    expect(
      Object.keys(WITHOUT_RULE).filter((reason) => ruled.some((one) => one === reason)),
    ).toEqual([]);
  });

  it("docs/mutants.md tells the rules behind each", () => {
    const page = readFileSync("docs/mutants.md", "utf8");
    for (const line of lines) {
      expect(page, "run npm run mutants -- --write").toContain(`${reasonLine(line)}\n`);
    }
  });
});

it("a run of some mutants keeps what the table says of the others", () => {
  const page = readFileSync("docs/mutants.md", "utf8");
  const ids = mutants.map(({ id }) => id);
  const [first] = mutants;
  if (first === undefined) throw new Error("there are no mutants");
  const again = tableOf(ids, [{ ...first, killedBy: "another test" }], page, reasonLines(mutants));
  expect(again).toContain(lineOf({ ...first, killedBy: "another test" }));
  expect(again.split("\n")).toHaveLength(page.split("\n").length);
});

it("the table tells which test missed a rule, whatever its name", () => {
  const killedBy = "plan law: `a|b` <is> *not* lost | at all";
  const line = lineOf({ id: "odd", rule: "a | b", file: "src/a.ts", killedBy });
  expect(missedBy(tableOf([], [], "") + line)).toEqual(new Map([["odd", killedBy]]));
  expect(missedBy(readFileSync("docs/mutants.md", "utf8")).size).toBe(mutants.length);
});
