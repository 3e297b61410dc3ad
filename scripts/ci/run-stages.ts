/** Runs a list of stages and writes their log. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failedStage, type Outcome, outcomeOfStage } from "./outcome.ts";
import { stagesToStart } from "./schedule.ts";
import { fillCommand, limitMillis, type Stage } from "./stage.ts";
import { runStageProcess } from "./stage-process.ts";
import type { StageResult } from "./summary.ts";

export interface StagesRun {
  readonly stages: readonly Stage[];
  readonly write: (text: string) => void;
  /** Called for each stage that ran to its end. */
  readonly onResult: (result: StageResult) => void;
  /** Ends what runs, and starts nothing more. */
  readonly signal: AbortSignal;
}

/** A stage that fails does not hide the ones after it. */
export async function runStages({ stages, write, onResult, signal }: StagesRun): Promise<void> {
  const reports = mkdtempSync(join(tmpdir(), "tandem-ci-"));
  const variables = new Map<string, string>();
  const waiting = [...stages];
  const running = new Map<Stage, Promise<void>>();

  const run = async (stage: Stage) => {
    const started = performance.now();
    const outcome = await runOne(stage, join(reports, `${stages.indexOf(stage)}.json`));
    running.delete(stage);
    if (outcome === null) return;
    const seconds = (performance.now() - started) / 1_000;
    onResult({ stage, seconds, outcome });
    if (!outcome.ok) write(`!!! ${stage.name} failed\n`);
  };
  /** `null` where it was interrupted. */
  const runOne = async (stage: Stage, reportFile: string): Promise<Outcome | null> => {
    const header = `\n=== ${stage.name}\n`;
    const command = fillCommand(stage, variables);
    if ("missing" in command) {
      write(header);
      return failedStage(stage, `no stage has set ${command.missing}`, "FAILED: not started");
    }
    if (stage.beside !== true) write(header);
    const reporting =
      stage.reads === "vitest"
        ? ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`]
        : [];
    const { code, timedOut, stdout, output } = await runStageProcess({
      command: [...command.filled, ...reporting],
      ...(stage.env === undefined ? {} : { env: stage.env }),
      limitMillis: limitMillis(stage),
      ...(stage.beside === true ? {} : { onOutput: write }),
      signal,
    });
    // The output of two at the same time would be read as that of one.
    if (stage.beside === true) write(`${header}${output}`);
    if (signal.aborted) return null;
    const notDoneAfterSeconds = Math.round(limitMillis(stage) / 1_000);
    if (timedOut) write(`!!! not done after ${notDoneAfterSeconds} s, and ended\n`);
    if (stage.sets !== undefined && code === 0)
      variables.set(stage.sets, stdout.trimEnd().split("\n").at(-1) ?? "");
    return outcomeOfStage(stage, {
      exit: timedOut ? { notDoneAfterSeconds } : { code },
      stdout,
      output,
      report: existsSync(reportFile) ? readFileSync(reportFile, "utf8") : null,
    });
  };

  try {
    for (;;) {
      const next = signal.aborted ? [] : stagesToStart(waiting, [...running.keys()]);
      for (const stage of next) {
        waiting.splice(waiting.indexOf(stage), 1);
        running.set(stage, run(stage));
      }
      if (running.size === 0) break;
      await Promise.race(running.values());
    }
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}
