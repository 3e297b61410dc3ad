/**
 * The rule `tandem/plain-words` for Markdown, and a count of it over everything.
 *
 *   node scripts/plain-words.mjs              the Markdown files, as `npm run lint` does
 *   node scripts/plain-words.mjs --code DIR…  comments, titles and messages below DIR as well, in seconds
 *   … --count                                 the number for each file, not the sentences
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Linter } from "eslint";
import tseslint from "typescript-eslint";
import { badSentences, plainWords } from "../eslint/plain-words.js";

const args = process.argv.slice(2);
const count = args.includes("--count");
const at = args.indexOf("--code");
const folders = at < 0 ? [] : args.slice(at + 1).filter((name) => !name.startsWith("--"));

/** Written by commands from the code, where its sentences are checked. */
const generated = new Set(["docs/mutants.md", "docs/benchmarks.md"]);

const tracked = (...patterns) =>
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", ...patterns], {
    encoding: "utf8",
  })
    .split("\n")
    .filter((name) => name !== "");

/** Markdown as text: no code, no table borders, each item, cell and paragraph a sentence of its own. */
function plainText(markdown) {
  const blank = (text) => text.replace(/[^\n]/g, " ");
  return markdown
    .replace(/^```[^]*?^```/gm, blank)
    .replace(/<!--[^]*?-->/g, blank)
    .replace(/`[^`\n]*`/g, (code) => "x".repeat(code.length))
    .replace(/\]\([^)\n]*\)/g, blank)
    .replace(/^[ \t]*(#+|[-*>]|\d+\.)[ \t]/gm, (marker) => `${".".padEnd(marker.length)}`)
    .replace(/\|/g, ".")
    .replace(/\n[ \t]*\n/g, (gap) => `.${gap.slice(1)}`)
    .replace(/[*_[\]]/g, " ");
}

const findings = [];
for (const file of tracked("*.md")) {
  if (generated.has(file)) continue;
  const text = plainText(readFileSync(file, "utf8"));
  for (const { sentence, offset, why } of badSentences(text)) {
    findings.push({ file, line: text.slice(0, offset).split("\n").length, why, sentence });
  }
}
if (folders.length > 0) {
  const linter = new Linter();
  const config = {
    files: ["**/*.{ts,tsx,js,mjs}"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { ecmaFeatures: { jsx: true } },
    },
    plugins: { tandem: { rules: { "plain-words": plainWords } } },
    rules: { "tandem/plain-words": "error" },
  };
  for (const file of tracked(...folders)) {
    if (!/\.(ts|tsx|js|mjs)$/.test(file)) continue;
    // Directives for other rules are not checked here.
    const messages = linter.verify(readFileSync(file, "utf8"), config, { filename: file });
    for (const { line, message, ruleId } of messages) {
      if (ruleId === "tandem/plain-words")
        findings.push({ file, line, why: message, sentence: "" });
    }
  }
}

if (count) {
  const numbers = new Map();
  for (const { file } of findings) numbers.set(file, (numbers.get(file) ?? 0) + 1);
  for (const [file, number] of [...numbers].sort(([, a], [, b]) => b - a))
    console.log(`${String(number).padStart(4)} ${file}`);
} else {
  for (const { file, line, why, sentence } of findings)
    console.log(`${file}:${line}: ${why}${sentence === "" ? "" : `, in: ${sentence}`}`);
}
console.log(`${findings.length} sentences to mend`);
process.exitCode = findings.length === 0 ? 0 : 1;
