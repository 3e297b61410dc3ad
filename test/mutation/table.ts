/** The published tables: each rule with the test that fails without it, each reason with its rules. */
import type { ReasonLine } from "./reasons.ts";

export interface TableRow {
  readonly id: string;
  readonly rule: string;
  readonly file: string;
  readonly killedBy: string | null;
}

/**
 * The text of docs/mutants.md.
 *
 * @param ids Every mutant, in order.
 * @param before The text so far, whose lines are kept for those that were not run.
 * @param reasons Every reason, for the table below.
 */
export function tableOf(
  ids: readonly string[],
  rows: readonly TableRow[],
  before: string,
  reasons: readonly ReasonLine[] = [],
): string {
  const kept = before.split("\n");
  const lines = ids.flatMap((id) => {
    const row = rows.find((one) => one.id === id);
    return row === undefined
      ? kept.filter((line) => line.startsWith(`| \`${id}\` |`))
      : lineOf(row);
  });
  return `${HEAD}\n${lines.join("\n")}\n\n${REASONS_HEAD}\n${reasons.map(reasonLine).join("\n")}\n`;
}

/** A reason with the rules behind it, or why there is none. */
export function reasonLine({ reason, behind }: ReasonLine): string {
  const cell = typeof behind === "string" ? behind : behind.map((id) => `\`${id}\``).join(", ");
  return `| ${reason} | ${cell} |`;
}

export function lineOf({ id, rule, file, killedBy }: TableRow): string {
  const missedBy = killedBy === null ? "**nothing**" : inCell(killedBy);
  return `| \`${id}\` | ${inCell(rule)} | \`${file}\` | ${missedBy} |`;
}

/** Which test missed each rule last, by the table. */
export function missedBy(page: string): ReadonlyMap<string, string> {
  // A cell ends at a bar that no backslash stands before.
  const rows = page.matchAll(/^\| `([^`]+)` (?:\| (?:[^|\\]|\\.)+){2}\| ((?:[^|\\]|\\.)+) \|$/gm);
  return new Map(Array.from(rows, ([, id = "", test = ""]) => [id, fromCell(test)]));
}

function fromCell(text: string): string {
  return text.replaceAll("\\|", "|").replaceAll("&lt;", "<").replaceAll("\\*", "*");
}

function inCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("*", "\\*");
}

const HEAD = `<!-- Written by \`npm run mutants -- --write\`. -->

# Rules, and the test that misses each

\`npm run mutants\` takes each rule out of the code, one at a time, and runs the suite's tests for it: at
least one must fail. The table names the first that did. \`npm run proof\` runs all of them, and CI a twelfth
at each landing.

| mutant | the rule taken out | where | missed by |
| --- | --- | --- | --- |`;

const REASONS_HEAD = `# Reasons, and the rules behind each

Every event ends, or waits, with a reason. Each has a rule behind it that is taken out above, or a
sentence that says why there is none.

| reason | rules |
| --- | --- |`;
