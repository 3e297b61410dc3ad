/** The pages can be read, and name only what exists: files, links, functions, codes. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFile(new URL(path, root), "utf8");
const filesBelow = async (folder: string) =>
  (await readdir(new URL(folder, root), { recursive: true })).map((name) => `${folder}/${name}`);

const rarePages = (await readdir(new URL("docs/design", root))).map(
  (name) => `docs/design/${name}`,
);
const pages = ["docs/design.md", "docs/architecture.md", ...rarePages];
const entrances = [
  "README.md",
  "CONTRIBUTING.md",
  "docs/guide.md",
  "docs/mount.md",
  "docs/operations.md",
  "docs/reasons.md",
];
const texts = new Map(
  await Promise.all(
    [...pages, ...entrances].map(async (page) => [page, await read(page)] as const),
  ),
);
const files = [
  ...(await filesBelow("src")),
  ...(await filesBelow("docs")),
  ...(await filesBelow("spec")),
  ...(await filesBelow("migrations")),
  ...(await filesBelow("test")),
  ...(await filesBelow("eslint")),
  ...(await filesBelow("scripts")),
  ...(await readdir(root)),
  // The user's own.
  "tandem.config.ts",
];
const sources = files.filter((file) =>
  /^(src|migrations|test\/harness)\/.*\.(ts|tsx|sql)$/.test(file),
);
const words = new Set(
  (await Promise.all(sources.map(read))).flatMap((text) => text.match(/\w+/g) ?? []),
);

/** The code that a page names between backticks, outside of drawings. */
function codeIn(page: string): readonly string[] {
  const prose = (texts.get(page) ?? "").replaceAll(/^```[^]*?^```/gm, "");
  return [...new Set([...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code))];
}

/** A name of the code's own: camelCase, snake_case, UPPER_CASE. */
function isName(code: string): boolean {
  return /^[a-z]+[A-Z]\w*$|^_?[a-z]+(_[a-z]+)+$|^[A-Z]+(_[A-Z]+)+$/.test(code);
}

describe("the design", () => {
  it("can be read in half an hour", async () => {
    expect((await read("docs/design.md")).split("\n").length - 1).toBeLessThanOrEqual(400);
  });

  it.each(rarePages)("leads to %s, which says when it is needed", async (page) => {
    expect(await read("docs/design.md")).toContain(`(${page.slice("docs/".length)})`);
    expect(texts.get(page)?.split("\n")[2]).toMatch(/^Read this page when /);
  });
});

describe.each([...pages, ...entrances])("%s", (page) => {
  it("links to pages that exist", () => {
    const links = [...(texts.get(page) ?? "").matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)];
    const targets = links.map(([, target = ""]) => normalize(join(dirname(page), target)));
    expect(targets.filter((target) => !files.includes(target))).toEqual([]);
  });

  it("names files that exist", () => {
    const named = codeIn(page).filter((code) => /^[\w./-]+\.(ts|js|sql|pml)$/.test(code));
    const isThere = (name: string) => files.some((file) => `/${file}`.endsWith(`/${name}`));
    expect(named.filter((name) => !isThere(name))).toEqual([]);
  });

  it("names functions, columns and codes that exist", () => {
    const named = codeIn(page).filter(isName);
    expect(named.filter((name) => !words.has(name.replace(/^_/, "")) && !endsWord(name))).toEqual(
      [],
    );
  });
});

/** `_limited` stands for `author_token_limited` in a list of codes. */
function endsWord(name: string): boolean {
  return name.startsWith("_") && [...words].some((word) => word.endsWith(name));
}
