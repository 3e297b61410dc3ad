/** Every situation that a two-way sync meets has a test that bears its number, on both databases. */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/** As many as are known; 55 to 73 were found by independent trials. */
const SITUATIONS = 73;

/** Situations that Tandem does not meet yet, with the reason. An entry goes when its test comes. */
const NOT_MET: ReadonlyMap<number, string> = new Map();

/** The call that runs its tests on PGlite and on Postgres. */
const ON_BOTH = /^describeOnEach(Empty)?Database$/;
/** A call that declares a test that runs: `it(...)` and `it.each(...)(...)`, and not `it.skip(...)`. */
const A_TEST = /^it(\.each\([^]*\))?$/;

/** The numbers of the situations whose tests a file runs on both databases. */
function situationsOnBoth(file: string, text: string): readonly number[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: number[] = [];
  function visit(node: ts.Node, onBoth: boolean): void {
    if (!ts.isCallExpression(node)) {
      ts.forEachChild(node, (child) => {
        visit(child, onBoth);
      });
      return;
    }
    const called = node.expression.getText(source);
    const [, number] = /^["`]S(\d+)\b/.exec(node.arguments[0]?.getText(source) ?? "") ?? [];
    if (onBoth && number !== undefined && A_TEST.test(called)) found.push(Number(number));
    ts.forEachChild(node, (child) => {
      visit(child, onBoth || ON_BOTH.test(called));
    });
  }
  visit(source, false);
  return found;
}

const everywhere = new Set(
  readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .flatMap((file) => situationsOnBoth(file, readFileSync(`test/${file}`, "utf8"))),
);

describe("the situations", () => {
  it.each(Array.from({ length: SITUATIONS }, (_, index) => index + 1))(
    "S%i has a named test on both databases, or says why not",
    (number) => {
      expect(everywhere.has(number)).toBe(!NOT_MET.has(number));
    },
  );

  it("have no other numbers", () => {
    expect([...everywhere].filter((number) => number < 1 || number > SITUATIONS)).toEqual([]);
  });

  it("are not covered by a test on one database, nor by one that is skipped", () => {
    const text = `
      describeOnEachDatabase("a", (open) => {
        it("S1 on both", async () => {});
        for (const how of HOWS) it(\`S2 \${how}\`, async () => {});
        it.each(MANY)("S3 of each", async () => {});
        it.skip("S4 is skipped", async () => {});
        it("tells of S5 in passing", async () => {});
      });
      describe.runIf(onPostgres)("b", () => {
        it("S6 on one", async () => {});
      });`;
    expect(situationsOnBoth("a.test.ts", text)).toEqual([1, 2, 3]);
  });
});
