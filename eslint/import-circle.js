/**
 * No module may need itself, not even through types: modules in a circle can only be read, moved and changed
 * together. `import-x/no-cycle` ignores `import type`.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";

/** `from "./a.ts"` and `import("./a.ts")`. */
const IMPORT = /(?:^|[\s}])from\s+"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"/g;

/** The imports of each file, read again only after a change. */
const known = new Map();

/** @returns {readonly string[]} the imported files of `file` */
function importsOf(file) {
  const changed = statSync(file).mtimeMs;
  const before = known.get(file);
  if (before?.changed === changed) return before.imports;
  const imports = [...readFileSync(file, "utf8").matchAll(IMPORT)]
    .map(([, from, dynamic]) => resolve(dirname(file), from ?? dynamic))
    .filter((imported) => /\.tsx?$/.test(imported) && existsSync(imported));
  known.set(file, { changed, imports });
  return imports;
}

/** @returns {readonly string[] | null} the shortest path from one of some files to another, both included */
function wayFrom(starts, end) {
  const cameFrom = new Map(starts.map((start) => [start, null]));
  for (const file of cameFrom.keys()) {
    if (file === end) {
      const way = [];
      for (let at = file; at !== null; at = cameFrom.get(at)) way.unshift(at);
      return way;
    }
    for (const next of importsOf(file)) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return null;
}

/** @type {import("eslint").Rule.RuleModule} */
export const importCircle = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      circle: "This import closes a circle: {{way}}. Move what both need into a module of its own.",
    },
  },
  create(context) {
    const own = context.filename;
    const found = [];
    const note = ({ source }) => {
      if (typeof source?.value !== "string" || !source.value.startsWith(".")) return;
      const file = resolve(dirname(own), source.value);
      if (/\.tsx?$/.test(file) && existsSync(file)) found.push({ source, file });
    };
    const report = () => {
      const imported = found.map(({ file }) => file);
      // One search for all imports, because almost no file has a circle.
      if (wayFrom(imported, own) === null) return;
      for (const { source, file } of found) {
        const way = wayFrom([file], own);
        if (way === null) continue;
        const names = [own, ...way].map((each) => relative(context.cwd, each));
        context.report({ node: source, messageId: "circle", data: { way: names.join(" → ") } });
      }
    };
    return {
      ImportDeclaration: note,
      ImportExpression: note,
      ExportNamedDeclaration: note,
      ExportAllDeclaration: note,
      "Program:exit": report,
    };
  },
};
