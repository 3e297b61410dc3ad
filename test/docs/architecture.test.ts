/** The architecture's walks name functions that exist and call each other; its map has every folder. */
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFile(new URL(path, root), "utf8");
const page = await read("docs/architecture.md");

interface Hop {
  readonly walk: string;
  readonly name: string;
  readonly file: string;
}

/** Each numbered list is one walk, under the heading above it. */
const walks = page
  .split(/^##+ /m)
  .map((section): readonly Hop[] => {
    const [walk = ""] = section.split("\n");
    return [...section.matchAll(/^\d+\. `(\w+)` \(`(src\/[\w/.-]+)`\)/gm)].map(
      ([, name = "", file = ""]) => ({ walk, name, file }),
    );
  })
  .filter((hops) => hops.length > 0);
const hops = walks.flat();
const steps = walks.flatMap((walk) =>
  walk.map((hop, index) => ({ ...hop, before: walk.slice(0, index) })),
);

const code = new Map(
  await Promise.all(
    [...new Set(hops.map(({ file }) => file))].map(
      async (file) => [file, withoutComments(await read(file))] as const,
    ),
  ),
);

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** Whether one file's code calls a function: in the file that declares it, besides the declaration. */
function mentions({ file }: Hop, called: Hop): boolean {
  const found = code.get(file)?.match(new RegExp(`\\b${called.name}\\b`, "g")) ?? [];
  return found.length > (file === called.file ? 1 : 0);
}

/** The folders that a table of the map lists, by the head of its first column. */
function mapOf(head: string): readonly string[] {
  const start = page.indexOf(`| ${head} `);
  const table = page.slice(start, page.indexOf("\n\n", start));
  return [...table.matchAll(/^\| `([\w/]+)\/` /gm)].map(([, name = ""]) => name);
}

async function foldersOf(path: string): Promise<readonly string[]> {
  const entries = await readdir(new URL(path, root), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

describe("the walks", () => {
  it("go in both directions", () => {
    const headings = walks.map(([first]) => first?.walk ?? "");
    expect(headings.some((one) => one.startsWith("An inbound walk"))).toBe(true);
    expect(headings.some((one) => one.startsWith("An outbound walk"))).toBe(true);
    expect(hops.length).toBeGreaterThan(40);
  });

  it.each(hops)("$walk: $file declares $name", ({ name, file }) => {
    const declared = new RegExp(
      `^(export )?(async )?function ${name}\\b|^ +(async )?${name}\\(`,
      "m",
    );
    expect(code.get(file)).toMatch(declared);
  });

  it.each(steps.filter(({ before }) => before.length > 0))(
    "$walk: an earlier function calls $name",
    ({ before, ...hop }) => {
      expect(before.filter((earlier) => mentions(earlier, hop))).not.toEqual([]);
    },
  );
});

describe("the map", () => {
  it("has every folder of the source", async () => {
    const listed = mapOf("folder ").map((name) => name.replace("src/", ""));
    expect([...listed].sort()).toEqual([...(await foldersOf("src"))].sort());
  });

  it.each(["src/engine", "src/runtime", "src/store"])("has every folder of %s", async (path) => {
    const listed = mapOf(`folder of \`${path}\``);
    expect([...listed].sort()).toEqual([...(await foldersOf(path))].sort());
  });
});
