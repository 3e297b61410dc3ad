/** The page of the benchmarks: what a run came to gives that page, and nobody writes it by hand. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Entry, Row } from "../../bench/harness/bench.ts";
import { gateResult, resultOf, type Round, skippedResult } from "../../bench/harness/results.ts";
import { mergeReports, type Report, reportEntries, reportRows } from "../../bench/page/report.ts";
import { renderPage } from "../../bench/page/render-page.ts";
import { readReport } from "../../bench/page/write-page.ts";

const entry = (name: string): Entry => ({
  name,
  run: () => Promise.resolve({ figures: {}, faults: [] }),
});
const rate = (name: string) => ({ entry: entry(name), figure: "perSecond" });
const uniform: Row = {
  ...{ id: 1, name: "edits, end to end", of: rate("product"), to: rate("limit") },
  ...{ against: "SQL that keeps no rule | a pipe", goal: 0.85, goalIs: "least" },
};
const memory: Row = {
  ...{ id: 11, name: "most memory, in MB", to: null, against: "idle" },
  ...{ of: { entry: entry("product"), figure: "memory" }, goal: 150, goalIs: "most" },
};
const soak: Row = {
  ...{ id: 13, name: "a week", of: rate("soak"), to: null, against: "its first half" },
  ...{ goal: 1.1, goalIs: "most", length: "long" },
};
const rows = [uniform, memory, soak];
const machine = { cores: 2, memory: 24, node: "20.19.0", postgres: "18.4" };

function round(product: number, limit: number, megabytes: number): Round {
  return new Map([
    ["product", { figures: { perSecond: product, memory: megabytes }, faults: [] }],
    ["limit", { figures: { perSecond: limit }, faults: [] }],
  ]);
}

function report(rounds: readonly Round[], measuredOn = "2026-01-05"): Report {
  const results = [gateResult([]), resultOf(uniform, rounds), resultOf(memory, rounds)];
  return {
    machine,
    rows: reportRows([...results, skippedResult(soak)], rows, measuredOn),
    entries: reportEntries(rounds),
  };
}

it("shows each row with its ratio, goal and spread, and says what was not met or not run", () => {
  const { markdown } = renderPage(report([round(900, 1_000, 180), round(8_000, 10_000, 210)]));

  expect(markdown).toContain("2 cores with 24 GB of memory, Node 20.19.0, Postgres 18.4");
  const table = markdown.split("\n").filter((line) => /^\| \d/.test(line));
  expect(table).toEqual([
    "| 0 | overlaps, inversions, edits without outcome, rows that are wrong | checked for every edit of every run | 0.00 | 0.00 to 0.00 | ≤ 0 | met |",
    "| 1 | edits, end to end | SQL that keeps no rule \\| a pipe | 0.85 | 0.80 to 0.90 | ≥ 0.85 | met |",
    "| 11 | most memory, in MB | idle | 195 | 180 to 210 | ≤ 150 | **not met** |",
    "| 13 | a week | its first half | – |  | ≤ 1.1 | skipped |",
  ]);
  expect(markdown).toContain("| product | perSecond 4,450, memory 195 |");
});

it("draws what was measured: the goal as a line, and what is not met in words too", () => {
  const { charts } = renderPage(report([round(900, 1_000, 180)]));
  const goals = charts["benchmarks-goals.svg"] ?? "";

  expect(goals.match(/<rect class="good"/g)).toHaveLength(1);
  expect(goals.match(/<rect class="bad"/g)).toHaveLength(1);
  expect(goals).toContain("180 (≤ 150) not met");
  expect(goals).toContain(">goal</text>");
  expect(charts["benchmarks-rates.svg"]?.match(/<rect class="plain"/g)).toHaveLength(2);
});

it("puts a run of some rows in the place of theirs, unless the machine was another", () => {
  const before = report([round(500, 1_000, 100)]);
  const rounds = [round(900, 1_000, 100)];
  const now: Report = {
    machine,
    rows: reportRows(
      [gateResult(["product: 1 stuck"]), resultOf(uniform, rounds)],
      rows,
      "2026-02-01",
    ),
    entries: reportEntries(rounds).filter(({ name }) => name === "limit"),
  };

  const merged = mergeReports(before, now, rows);
  expect(merged.rows.map(({ id, ratio, measuredOn }) => [id, ratio, measuredOn])).toEqual([
    [0, 1, "2026-02-01"],
    [1, 0.9, "2026-02-01"],
    [11, 100, "2026-01-05"],
    [13, null, "2026-01-05"],
  ]);
  expect(merged.entries.map(({ name }) => name)).toEqual(["product", "limit"]);
  expect(mergeReports({ ...before, machine: { ...machine, cores: 8 } }, now, rows)).toBe(now);
});

it("is the page in docs/, with its charts, as far as there is one", () => {
  const kept = readReport();
  if (kept === null) return;
  const { markdown, charts } = renderPage(kept);
  const docs = (path: string) =>
    readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8");

  expect(docs("benchmarks.md")).toBe(markdown);
  for (const [name, chart] of Object.entries(charts)) expect(docs(`images/${name}`)).toBe(chart);
});
