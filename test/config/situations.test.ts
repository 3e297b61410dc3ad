/**
 * Every situation that a two-way sync meets has a test that bears its number and can run on both databases. `npm test`
 * runs most of them on Postgres; `npm run proof` runs all of them on PGlite too.
 */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/** As many as are known; 55 to 73 were found by independent trials. */
const SITUATIONS = 73;

/** Situations that Tandem does not meet yet, with the reason. An entry goes when its test comes. */
const NOT_MET: ReadonlyMap<number, string> = new Map();

/** The calls whose tests run on PGlite and on Postgres: at once, or as `TANDEM_TEST_DATABASES` says. */
const ON_EITHER = /^describeOn(Each|EachEmpty|One|OneMigrated)Database$/;
/** A call that declares a test that runs: `it(...)` and `it.each(...)(...)`, and not `it.skip(...)`. */
const A_TEST = /^it(\.each\([^]*\))?$/;

/** The numbers of the situations whose tests a file can run on both databases. */
function situationsOnEither(file: string, text: string): readonly number[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: number[] = [];
  function visit(node: ts.Node, onEither: boolean): void {
    if (!ts.isCallExpression(node)) {
      ts.forEachChild(node, (child) => {
        visit(child, onEither);
      });
      return;
    }
    const called = node.expression.getText(source);
    const [, number] = /^["`]S(\d+)\b/.exec(node.arguments[0]?.getText(source) ?? "") ?? [];
    if (onEither && number !== undefined && A_TEST.test(called)) found.push(Number(number));
    ts.forEachChild(node, (child) => {
      visit(child, onEither || ON_EITHER.test(called));
    });
  }
  visit(source, false);
  return found;
}

const everywhere = new Set(
  readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .flatMap((file) => situationsOnEither(file, readFileSync(`test/${file}`, "utf8"))),
);

describe("the situations", () => {
  it.each(Array.from({ length: SITUATIONS }, (_, index) => index + 1))(
    "S%i has a named test that can run on both databases, or says why not",
    (number) => {
      expect(everywhere.has(number)).toBe(!NOT_MET.has(number));
    },
  );

  it("have no other numbers", () => {
    expect([...everywhere].filter((number) => number < 1 || number > SITUATIONS)).toEqual([]);
  });

  it("are not covered by a test that knows one database only, nor by one that is skipped", () => {
    const text = `
      describeOnEachDatabase("a", (open) => {
        it("S1 on both", async () => {});
        for (const how of HOWS) it(\`S2 \${how}\`, async () => {});
        it.each(MANY)("S3 of each", async () => {});
        it.skip("S4 is skipped", async () => {});
        it("tells of S5 in passing", async () => {});
      });
      describeOnOneDatabase("b", (open) => {
        it("S6 on either", async () => {});
      });
      describe.runIf(onPostgres)("c", () => {
        it("S7 on Postgres only", async () => {});
      });`;
    expect(situationsOnEither("a.test.ts", text)).toEqual([1, 2, 3, 6]);
  });
});
