/**
 * Checks one model with Spin: the model with its flags is translated to a program, compiled and run to its end.
 * A search that did not see all states is `truncated`, never a pass.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The limits of time and memory for one search: a model that needs more is too large for its row. */
const LONGEST_MS = 30 * 60_000;
const MOST_MEGABYTES = 3_000;

export interface Search {
  readonly result: "holds" | "refuted" | "truncated";
  /** The violation, or the reason why the search ended early; empty if the model holds. */
  readonly why: string;
  readonly states: number;
  readonly seconds: number;
  /** The shortest schedule to the violation; empty if the model holds. */
  readonly steps: readonly string[];
}

/** Why the models cannot be checked on this machine, or `null`. */
export async function missingTool(): Promise<string | null> {
  for (const [tool, flag] of [
    ["spin", "-V"],
    ["gcc", "--version"],
  ] as const) {
    const { code } = await run(tool, [flag], tmpdir());
    if (code === null) {
      return (
        `spec_tool_missing: \`${tool}\` is not installed, but checking the models needs it. ` +
        "Install both, on Debian or Ubuntu with `apt-get install -y spin gcc libc6-dev`."
      );
    }
  }
  return null;
}

/**
 * Searches every schedule of a model, breadth first, so that a violation comes with its shortest schedule.
 *
 * @param model Path of the `.pml` file.
 * @param flags For example `NE=2` or `STRICT`, each defined in the model.
 * @throws Error when Spin or the compiler refuses the model, which is then wrong and proves nothing.
 */
export async function search(model: string, flags: readonly string[]): Promise<Search> {
  const folder = await mkdtemp(join(tmpdir(), "tandem-spec-"));
  try {
    const started = performance.now();
    const defined = flags.map((flag) => `-D${flag}`);
    await must("spin", ["-a", ...defined, model], folder);
    const limits = [`-DMEMLIM=${MOST_MEGABYTES}`, "-DVECTORSZ=256"];
    const how = ["-O2", "-w", "-DSAFETY", "-DBFS", "-DNOREDUCE", "-DCOLLAPSE", ...limits];
    await must("gcc", [...how, "-o", "pan", "pan.c"], folder);
    const { code, output } = await run(join(folder, "pan"), [], folder);
    const seconds = (performance.now() - started) / 1000;
    const states = Number(/([0-9.e+]+) states, stored/.exec(output)?.[1] ?? 0);
    const violation = /pan:\d+: (assertion violated .*|invalid end state) \(at depth/.exec(output);
    if (violation?.[1] !== undefined) {
      const steps = await trail(model, defined, folder);
      return { result: "refuted", why: violation[1], states, seconds, steps };
    }
    const whole =
      code === 0 &&
      output.includes("errors: 0") &&
      !/Search not completed|search depth too small|reached -DMEMLIM|out of memory/.test(output);
    if (whole) return { result: "holds", why: "", states, seconds, steps: [] };
    const why = code === null ? "out of time" : lastLines(output);
    return { result: "truncated", why, states, seconds, steps: [] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The schedule of the last violation, as the model prints it. */
async function trail(
  model: string,
  defined: readonly string[],
  folder: string,
): Promise<readonly string[]> {
  const file = (await readdir(folder)).find((name) => name.endsWith(".trail"));
  if (file === undefined) throw new Error(`${model}: a violation without a trail`);
  const told = await run("spin", ["-T", "-k", join(folder, file), ...defined, model], folder);
  return told.output
    .split("\n")
    .flatMap((line) => /^\s*step: (.*)$/.exec(line)?.[1] ?? [])
    .map((step) => step.trim());
}

async function must(command: string, args: readonly string[], folder: string): Promise<void> {
  const { code, output } = await run(command, args, folder);
  // Spin exits with 0 after a syntax error: only the generated program shows its success.
  const made =
    command !== "spin" || (await readFile(join(folder, "pan.c"), "utf8").catch(() => ""));
  if (code === 0 && made !== "") return;
  throw new Error(`${command} ${args.join(" ")} failed:\n${lastLines(output)}`);
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: LONGEST_MS, maxBuffer: 2 ** 28 };
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
      resolve({ code, output: stdout + stderr });
    });
  });
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-12).join("\n");
}
