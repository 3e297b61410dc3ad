/** The end of the log: failures once more, the table of stages, and the counts. Pure. */
import type { Outcome } from "./outcome.ts";
import { plannedMinutes } from "./schedule.ts";
import type { Stage } from "./stage.ts";

export interface StageResult {
  readonly stage: Stage;
  readonly seconds: number;
  readonly outcome: Outcome;
}

export interface Totals {
  readonly passed: number;
  readonly failed: number;
}

/** @param complete false where the run was cut short: what was not checked counts as one failure */
export function totalsOf(results: readonly StageResult[], complete: boolean): Totals {
  const passed = results.reduce((sum, { outcome }) => sum + outcome.passed, 0);
  const failed = results.reduce((sum, { outcome }) => sum + outcome.failed, 0);
  return { passed, failed: complete ? failed : Math.max(1, failed) };
}

/** A reader of a log that was cut at its beginning still learns each failure, and why. */
export function summaryText(
  stages: readonly Stage[],
  results: readonly StageResult[],
  took: number,
  totals: Totals,
): string {
  const failures = results.flatMap(({ outcome }) => outcome.failures);
  const shown = failures.length === 0 ? [] : ["", "Failures", ...failures];
  const notRun = stages.length - results.length;
  return [
    ...shown,
    "",
    "Stages",
    row("stage", "took", "budget", ""),
    ...results.map(resultRow),
    row("total", clock(took), clock(plannedMinutes(stages) * 60), ""),
    "",
    "Slowest",
    ...slowestOf(results).map(({ stage, seconds }) => row(stage.name, clock(seconds), "", "")),
    "",
    ...(notRun === 0 ? [] : [`${notRun} of ${stages.length} stages did not run to their end`]),
    `${totals.passed} passed, ${totals.failed} failed`,
    "",
  ].join("\n");
}

/** The ten slowest stages, the slowest first. */
function slowestOf(results: readonly StageResult[]): readonly StageResult[] {
  return [...results].sort((a, b) => b.seconds - a.seconds).slice(0, 10);
}

function resultRow({ stage, seconds, outcome }: StageResult): string {
  const over = seconds > stage.minutes * 60 ? "  OVER BUDGET" : "";
  return row(
    `${stage.beside === true ? "| " : ""}${stage.name}`,
    clock(seconds),
    clock(stage.minutes * 60),
    `${outcome.summary}${over}`,
  );
}

function row(name: string, took: string, budget: string, outcome: string): string {
  return `${name.padEnd(28)} ${took.padStart(6)} ${budget.padStart(7)}  ${outcome}`.trimEnd();
}

/** Minutes and seconds, such as `4:05`. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
