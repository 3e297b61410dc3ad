/** The published table of rules, each with the test that fails without it. */
export interface TableRow {
  readonly id: string;
  readonly rule: string;
  readonly file: string;
  readonly killedBy: string | null;
}

/** The text of docs/mutants.md. */
export function tableOf(rows: readonly TableRow[]): string {
  const lines = rows.map(({ id, rule, file, killedBy }) => {
    const missedBy = killedBy === null ? "**nothing**" : inCell(killedBy);
    return `| \`${id}\` | ${inCell(rule)} | \`${file}\` | ${missedBy} |`;
  });
  return `${HEAD}\n${lines.join("\n")}\n`;
}

function inCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("*", "\\*");
}

const HEAD = `<!-- Written by \`npm run mutants -- --write\`. -->

# Rules, and the test that misses each

\`npm run mutants\` takes each rule out of the code, one at a time, and runs the suite's tests for it: at
least one must fail. The table names the first that did. CI runs it and fails where a rule is not
missed.

| mutant | the rule taken out | where | missed by |
| --- | --- | --- | --- |`;
