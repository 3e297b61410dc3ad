/**
 * `npm run proof`: every machine in full, which takes too long for CI. Run it before a change of the core lands.
 *
 *   --only NAME    the parts whose name contains NAME
 *   --json         one line of JSON: {parts: [{name, passed, failed, seconds}], passed, failed}
 *
 * A part that has passed on the same files is not run again, so an interrupted run goes on. Pages (`*.md`) are no part of
 * a proof, and files that are not committed are: then nothing is kept.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { runStages } from "./ci/run-stages.ts";
import { FOR_PROOF, PROOF } from "./ci/stages.ts";
import type { StageResult } from "./ci/summary.ts";
import { endProcess } from "./end-process.ts";

interface ProofPart {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const wanted = PROOF.filter(({ name }) => name.includes(values.only));
if (wanted.length === 0) {
  process.stderr.write(
    `proof_no_such_part: no part's name contains "${values.only}". The parts: ${PROOF.map(({ name }) => name).join(", ")}.\n`,
  );
  process.exit(1);
}
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    interrupt.abort();
  });
const say = (text: string) => (values.json ? process.stderr : process.stdout).write(text);

const state = stateOfFiles();
const kept = state === null ? [] : readKept(state);
const parts: ProofPart[] = [];
for (const [place, stage] of wanted.entries()) {
  if (interrupt.signal.aborted) break;
  say(`\n--- ${place + 1} of ${wanted.length}: ${stage.name}, about ${stage.minutes} minutes\n`);
  const before = kept.find(({ name }) => name === stage.name);
  if (before !== undefined) {
    say(`passed before on the same files: ${before.passed} in ${before.seconds} s\n`);
    parts.push(before);
    continue;
  }
  const results: StageResult[] = [];
  await runStages({
    stages: [...FOR_PROOF, stage],
    write: say,
    onResult: (result) => results.push(result),
    signal: interrupt.signal,
  });
  const result = results.find((one) => one.stage === stage);
  if (result === undefined) break;
  const { passed, failed } = result.outcome;
  const part = { name: stage.name, passed, failed, seconds: Math.round(result.seconds) };
  say(`${result.outcome.summary} in ${part.seconds} s\n`);
  parts.push(part);
  if (failed === 0 && state !== null) {
    kept.push(part);
    keep(state, kept);
  }
}
const passed = parts.reduce((sum, part) => sum + part.passed, 0);
const failed = parts.reduce((sum, part) => sum + part.failed, 0) + wanted.length - parts.length;
if (values.json) process.stdout.write(`${JSON.stringify({ parts, passed, failed })}\n`);
else {
  for (const part of parts)
    say(
      `${part.name.padEnd(24)} ${part.passed} passed, ${part.failed} failed, ${part.seconds} s\n`,
    );
  say(`${passed} passed, ${failed} failed\n`);
}
process.exitCode = interrupt.signal.aborted ? 130 : failed === 0 ? 0 : 1;
endProcess();

/** A digest of all committed files but pages; `null` if others are changed. */
function stateOfFiles(): string | null {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" });
  const isPage = (line: string) => line.endsWith(".md");
  const changed = git("status", "--porcelain").split("\n").filter(Boolean);
  if (!changed.every(isPage)) return null;
  const files = git("ls-tree", "-r", "HEAD").split("\n");
  return createHash("sha256")
    .update(files.filter((line) => !isPage(line)).join("\n"))
    .digest("hex");
}

/** Outside the clone: the same files prove the same in any. */
function keptFile(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tandem", "proof.json");
}

function readKept(of: string): ProofPart[] {
  try {
    const kept = JSON.parse(readFileSync(keptFile(), "utf8")) as {
      readonly of: string;
      readonly parts: ProofPart[];
    };
    return kept.of === of ? kept.parts : [];
  } catch {
    // No proof was run here yet.
    return [];
  }
}

function keep(of: string, kept: readonly ProofPart[]): void {
  mkdirSync(dirname(keptFile()), { recursive: true });
  writeFileSync(keptFile(), JSON.stringify({ of, parts: kept }));
}
