/**
 * No module needs itself, be it through types alone: modules in a circle can only be read, moved and changed as one.
 * `import-x/no-cycle` does not look at `import type`.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";

/** `from "./a.ts"` and `import("./a.ts")`. */
const IMPORT = /(?:^|[\s}])from\s+"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"/g;

/** What each file imports, read once as long as it stays as it is. */
const known = new Map();

/** @returns {readonly string[]} the files that `file` imports */
function importsOf(file) {
  const changed = statSync(file).mtimeMs;
  const before = known.get(file);
  if (before?.changed === changed) return before.imports;
  const imports = importedBy(file, readFileSync(file, "utf8"));
  known.set(file, { changed, imports });
  return imports;
}

function importedBy(file, text) {
  return [...text.matchAll(IMPORT)]
    .map(([, from, dynamic]) => resolve(dirname(file), from ?? dynamic))
    .filter((imported) => /\.tsx?$/.test(imported) && existsSync(imported));
}

/** @returns {readonly string[] | null} the shortest way from one file to another, both included */
function wayFrom(start, end) {
  const cameFrom = new Map([[start, null]]);
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
    const check = ({ source }) => {
      if (typeof source?.value !== "string" || !source.value.startsWith(".")) return;
      const imported = resolve(dirname(context.filename), source.value);
      if (!existsSync(imported) || !/\.tsx?$/.test(imported)) return;
      const way = wayFrom(imported, context.filename);
      if (way === null) return;
      const names = [context.filename, ...way].map((file) => relative(context.cwd, file));
      context.report({ node: source, messageId: "circle", data: { way: names.join(" → ") } });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};
