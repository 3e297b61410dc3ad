/** The page on the models names functions that exist in the code. */
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { flagsOf, matrix } from "../../spec/matrix.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFile(new URL(path, root), "utf8");
const page = await read("spec/README.md");
const named = [...page.matchAll(/`(\w+)` in `(src\/[\w/.-]+)`/g)].map(([, name, file]) => ({
  name: name ?? "",
  file: file ?? "",
}));

const models = (await readdir(new URL("spec/", root)))
  .filter((file) => file.endsWith(".pml"))
  .map((file) => file.slice(0, -".pml".length));
const texts = new Map(
  await Promise.all(models.map(async (model) => [model, await read(`spec/${model}.pml`)] as const)),
);

/** Every step that a model prints, `N` for each number. */
const steps = [...texts].flatMap(([model, text]) =>
  [...text.matchAll(/"step: ([^"\\]*)/g)].map(([, step = ""]) => ({
    model,
    step: step.replaceAll("%d", "N"),
  })),
);

/** The names between backticks in the page's section on moves: steps of a model, not functions. */
const moves = [
  ...page
    .slice(page.indexOf("## Which function carries out which move"))
    .replaceAll(/^(\|[^|]*\|).*$/gm, "$1")
    .matchAll(/`([^`]+)`/g),
]
  .map(([, name = ""]) => name)
  .filter((name) => name !== "N" && name !== "...");

function isOf(step: string, move: string): boolean {
  if (!move.includes("...")) return step === move;
  const [before = "", after = ""] = move.split("...");
  return step.startsWith(before) && step.endsWith(after);
}

/** The switches that a model's text tests with `#if`, without its own shorthands. */
function switchesOf(text: string): readonly string[] {
  const asked = [...text.matchAll(/^#(?:if|ifdef|ifndef|elif)\b(.*)$/gm)]
    .flatMap(([, condition = ""]) => condition.split("/*")[0]?.match(/\b[A-Z][A-Z_]*\b/g) ?? [])
    .filter((name) => !new RegExp(`^#define ${name}( */\\*.*)?$`, "m").test(text));
  return [...new Set(asked)];
}

describe("the page on the models", () => {
  it("maps moves to functions at all", () => {
    expect(named.length).toBeGreaterThan(20);
    const rows = page.split("\n").filter((line) => line.includes("` in `src/"));
    expect(rows.length).toBeGreaterThan(20);
  });

  it.each(named)("$name is exported from $file", async ({ name, file }) => {
    expect(await read(file)).toMatch(new RegExp(`^export (async )?function ${name}\\b`, "m"));
  });

  it.each(steps)("tells who takes a step of $model: $step", ({ step }) => {
    const taken = [step, step.replaceAll(/\d/g, "N")];
    expect(moves.filter((move) => taken.some((one) => isOf(one, move)))).not.toEqual([]);
  });

  it.each([...new Set(moves)])("names no move that no model makes: %s", (move) => {
    const word = /^\w+$/.test(move) && new RegExp(`\\b${move}\\b`);
    const isWord = word !== false && [...texts.values()].some((text) => word.test(text));
    const isStep = steps.some(({ step }) => isOf(step, move));
    expect(isWord || isStep).toBe(true);
  });

  it("tells of every model", () => {
    expect([...new Set(matrix.map((row) => row.model))].sort()).toEqual([...models].sort());
    for (const model of models) {
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

  it.each(models)("uses every switch of %s.pml in some row", (model) => {
    const used = matrix
      .filter((row) => row.model === model)
      .flatMap((row) => flagsOf(row).map((flag) => flag.split("=")[0]));
    expect(switchesOf(texts.get(model) ?? "").filter((name) => !used.includes(name))).toEqual([]);
  });

  it.each(matrix)("$name defines only what its model knows", async (row) => {
    const text = await read(`spec/${row.model}.pml`);
    for (const flag of flagsOf(row)) {
      const [name = ""] = flag.split("=");
      expect(text).toMatch(new RegExp(`(#if(n?def)?|#elif|defined\\().*\\b${name}\\b`));
    }
  });
});
