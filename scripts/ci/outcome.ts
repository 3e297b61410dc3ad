/** Turns a stage's exit and its reports into counts and failures. Pure: the texts are arguments. */
import { basename } from "node:path";
import { z } from "zod";
import type { Stage } from "./stage.ts";

/** How a stage's process ended, and what it left. */
export interface StageEnd {
  readonly exit: { readonly code: number } | { readonly notDoneAfterSeconds: number };
  /** Its standard output. */
  readonly stdout: string;
  /** Its standard output and error, in the order they were written. */
  readonly output: string;
  /** Vitest's JSON report; `null` where there is none. */
  readonly report: string | null;
}

export interface Outcome {
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  /** For the table. */
  readonly summary: string;
  /** Each failure with the stage's name, for the end of the log. */
  readonly failures: readonly string[];
}

const MESSAGE_LENGTH = 1_500;

const vitestReport = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().default(""),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

const countedLine = z.object({
  passed: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  failures: z.array(z.string()).optional(),
});

/** A stage that fails without a failing test counts as one failure. */
export function outcomeOfStage(stage: Stage, end: StageEnd): Outcome {
  if (stage.reads === "vitest") return outcomeOfVitest(stage, end);
  if (stage.reads === "counted") return outcomeOfCounted(stage, end);
  const problem = problemOf(end);
  if (problem === null) return { ok: true, passed: 0, failed: 0, summary: "ok", failures: [] };
  return failedStage(stage, problem, "FAILED");
}

/** A stage that failed as a whole, such as one that could not start. */
export function failedStage({ name }: Stage, problem: string, summary: string): Outcome {
  return { ok: false, passed: 0, failed: 1, summary, failures: [`${name}: ${problem}`] };
}

function outcomeOfVitest(stage: Stage, end: StageEnd): Outcome {
  const problem = problemOf(end);
  const report = parsed(vitestReport, end.report);
  if (report === null) {
    // Only a run that may have no tests at all may leave no report.
    if (problem === null && stage.command.some((element) => element.includes("passWithNoTests")))
      return withCounts({ ok: true, passed: 0, failed: 0, failures: [] });
    const failures = [`${stage.name}: no report of which test failed`, ...unhandledErrors(end)];
    return withCounts({ ok: false, passed: 0, failed: 1, failures }, ": no report");
  }
  const { numPassedTests: passed, numFailedTests } = report;
  if (problem === null && numFailedTests === 0)
    return withCounts({ ok: true, passed, failed: 0, failures: [] });
  const named = report.testResults.flatMap((file) => {
    const failing = file.assertionResults.filter(({ status }) => status === "failed");
    const messages = failing.map((test) =>
      [test.fullName, ...(test.failureMessages ?? [])].join("\n"),
    );
    // A file that does not load has no test to count.
    if (messages.length === 0 && file.status === "failed") messages.push(file.message);
    return messages.map(
      (message) => `${stage.name}: ${basename(file.name)}: ${message.slice(0, MESSAGE_LENGTH)}`,
    );
  });
  if (named.length === 0) named.push(`${stage.name}: ${problem ?? "a test failed"}`);
  const failures = [...named, ...unhandledErrors(end)];
  return withCounts({ ok: false, passed, failed: Math.max(1, numFailedTests), failures });
}

function outcomeOfCounted(stage: Stage, end: StageEnd): Outcome {
  const problem = problemOf(end);
  const last = end.stdout.split("\n").findLast((line) => line.startsWith("{"));
  const counts = parsed(countedLine, last ?? null);
  if (counts === null) {
    const failures = [`${stage.name}: ${problem ?? "it printed no counts"}`];
    return withCounts({ ok: false, passed: 0, failed: 1, failures }, ": no counts");
  }
  const { passed, failures = [] } = counts;
  if (problem === null && counts.failed === 0)
    return withCounts({ ok: true, passed, failed: 0, failures: [] });
  const named = failures.map((failure) => `${stage.name}: ${failure}`);
  if (named.length === 0) {
    named.push(`${stage.name}: ${problem ?? `${counts.failed} failed; its output is above`}`);
  }
  return withCounts({ ok: false, passed, failed: Math.max(1, counts.failed), failures: named });
}

function withCounts(outcome: Omit<Outcome, "summary">, why = ""): Outcome {
  const verdict = outcome.ok ? "ok" : `FAILED${why}`;
  const summary = `${verdict} (${outcome.passed} passed, ${outcome.failed} failed)`;
  return { ...outcome, summary };
}

function problemOf({ exit }: StageEnd): string | null {
  if ("notDoneAfterSeconds" in exit)
    return `not done after ${exit.notDoneAfterSeconds} s, and ended`;
  return exit.code === 0 ? null : `exit code ${exit.code}; its output is above`;
}

/** Errors outside every test, which Vitest's report does not contain. */
function unhandledErrors({ output }: StageEnd): readonly string[] {
  const lines = output.split("\n");
  const at = lines.findIndex((line) => line.includes("Unhandled Errors"));
  return at === -1 ? [] : [lines.slice(at, at + 31).join("\n")];
}

function parsed<T>(shape: z.ZodType<T>, text: string | null): T | null {
  if (text === null) return null;
  try {
    return shape.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
