/** Renders `docs/benchmarks.md` and its charts from a report. */
import { type Bar, barChart } from "./bar-chart.ts";
import type { Machine, Report, ReportEntry, ReportRow } from "./report.ts";

export interface Page {
  readonly markdown: string;
  /** By file name in `docs/images/`. */
  readonly charts: Readonly<Record<string, string>>;
}

/** A bar is cut at this many times its goal. */
const MOST_DRAWN = 3;

export function renderPage({ machine, rows, entries }: Report): Page {
  const markdown = `# Benchmarks

Written by \`npm run bench -- --write\` from \`docs/benchmarks.json\`; not to be edited.

${describeMachine(machine)}

All contenders did the same work in the same run, one after another, for several rounds. A ratio is the median of the
rounds' own ratios, shown with the least and the most of them. Ratios are valid on other machines, but rates are not. If
a row misses its goal, the row says so, and [performance.md](performance.md) explains the bottleneck.

![How far each row is from its goal](images/benchmarks-goals.svg)

| row | what | compared with | ratio | least to most | goal | |
| --: | --- | --- | --: | --: | --: | --- |
${rows.map(tableRow).join("\n")}

## Rates

![Edits, issues or requests each second](images/benchmarks-rates.svg)

<details>
<summary>Every figure: the medians of the rounds</summary>

| who, at what | figures |
| --- | --- |
${entries.map(entryRow).join("\n")}

</details>

## To repeat it

\`\`\`sh
npm ci
npm run bench            # all of it, hours; --only 9 takes one row
npm run bench -- --quick # less of everything, minutes
\`\`\`

The machine must be otherwise idle. The bench starts a Postgres of its own, durable and as Postgres
comes; \`bench/\` holds all of it, and what each contender is and does.
`;
  return {
    markdown,
    charts: {
      "benchmarks-goals.svg": goalsChart(rows),
      "benchmarks-rates.svg": ratesChart(entries),
    },
  };
}

function describeMachine({ cores, memory, node, postgres }: Machine): string {
  return `Measured on ${String(cores)} cores with ${String(memory)} GB of memory, Node ${node}, Postgres ${postgres}, everything on the one machine.`;
}

function tableRow(row: ReportRow): string {
  const { id, name, against, ratio, spread, goal, goalIs } = row;
  const shown = ratio === null ? "–" : number(ratio);
  const range = spread.map(number).join(" to ");
  const sign = goalIs === "least" ? "≥" : "≤";
  return `| ${String(id)} | ${cell(name)} | ${cell(against)} | ${shown} | ${range} | ${sign} ${String(goal)} | ${verdict(row)} |`;
}

function verdict({ met, skipped, why }: ReportRow): string {
  if (skipped === true) return cell(why === undefined ? "skipped" : `skipped: ${why}`);
  return met === true ? "met" : "**not met**";
}

function entryRow({ name, figures }: ReportEntry): string {
  const told = Object.entries(figures).map(([figure, value]) => `${figure} ${number(value)}`);
  return `| ${cell(name)} | ${told.join(", ")} |`;
}

function goalsChart(rows: readonly ReportRow[]): string {
  const bars = rows.flatMap((row): readonly Bar[] => {
    const { id, name, ratio, goal, goalIs, met } = row;
    if (ratio === null || goal === 0) return [];
    const value = goalIs === "least" ? ratio / goal : goal / ratio;
    const sign = goalIs === "least" ? "≥" : "≤";
    const text = `${number(ratio)} (${sign} ${String(goal)})${met === true ? "" : " not met"}`;
    const tone = met === true ? "good" : "bad";
    return [{ label: `${String(id)}  ${short(name)}`, value, text, tone }];
  });
  return barChart({
    title: "How far each row is from its goal: longer is better",
    bars,
    line: { at: 1, name: "goal" },
    most: MOST_DRAWN,
  });
}

function ratesChart(entries: readonly ReportEntry[]): string {
  const bars = entries.flatMap(({ name, figures }): readonly Bar[] => {
    const { perSecond } = figures;
    if (perSecond === undefined) return [];
    return [{ label: short(name), value: perSecond, text: number(perSecond), tone: "plain" }];
  });
  return barChart({ title: "Each second", bars, line: null });
}

function number(value: number): string {
  return Math.abs(value) < 100 ? value.toFixed(2) : Math.round(value).toLocaleString("en");
}

function short(text: string): string {
  return text.length <= 54 ? text : `${text.slice(0, 53)}…`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
