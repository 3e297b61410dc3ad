/** Writes the page of a run, and its data, into `docs/`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import type { Row } from "../harness/bench.ts";
import { mergeReports, type Machine, type Report } from "./report.ts";
import { renderPage } from "./render-page.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const REPORT = new URL("benchmarks.json", DOCS);

export function writePage(now: Report, order: readonly Row[]): void {
  const report = mergeReports(readReport(), now, order);
  const { markdown, charts } = renderPage(report);
  writeFileSync(REPORT, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(new URL("benchmarks.md", DOCS), markdown);
  mkdirSync(new URL("images/", DOCS), { recursive: true });
  for (const [name, chart] of Object.entries(charts)) {
    writeFileSync(new URL(`images/${name}`, DOCS), chart);
  }
}

/** The report behind the page; `null` if there is none yet. */
export function readReport(): Report | null {
  return existsSync(REPORT) ? (JSON.parse(readFileSync(REPORT, "utf8")) as Report) : null;
}

/** @param server Postgres' own version text: `postgres (PostgreSQL) 18.4` */
export function thisMachine(server: string): Machine {
  return {
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    postgres: /\d[\d.]*/.exec(server)?.[0] ?? server,
  };
}
