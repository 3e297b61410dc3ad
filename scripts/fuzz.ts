/**
 * `npm run fuzz -- --inputs 100000 --json`: odd inputs for the receiver over HTTP, the API, GitHub's translators and
 * responses, and the config parser; see `test/fuzz`. It exits with 1 unless every invariant holds.
 *
 * `--only TARGET` selects targets whose name contains it. A failure names the command that repeats it, with
 * `--seed` and `--path`.
 */
import { parseArgs } from "node:util";
import { type FuzzFailure, must } from "../test/fuzz/target.ts";
import { FUZZ_TARGETS } from "../test/fuzz/targets.ts";
import { endProcess } from "./end-process.ts";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Math.trunc(Date.now() / 1_000) % 2 ** 31) },
    only: { type: "string", default: "" },
    path: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
must(
  Number.isSafeInteger(inputs) && inputs > 0,
  () => "--inputs must be a whole number of at least 1",
);
must(Number.isSafeInteger(seed), () => "--seed must be a whole number");

const stray: string[] = [];
for (const name of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(name, (thrown: unknown) => {
    stray.push(`${name}: ${stackOf(thrown)}`);
  });
}

const targets = FUZZ_TARGETS.filter(({ name }) => name.includes(values.only));
must(targets.length > 0, () => `no target's name contains "${values.only}"`);
const shares = targets.reduce((sum, { share }) => sum + share, 0);
const startedAt = performance.now();
const counts: Record<string, number> = {};
const failures: string[] = [];
for (const target of targets) {
  const own = Math.max(1, Math.round((inputs * target.share) / shares));
  const path = values.path === undefined ? {} : { path: values.path };
  const began = performance.now();
  try {
    const { inputs: ran, failure } = await target.run({ inputs: own, seed, ...path });
    counts[target.name] = ran;
    if (failure !== null) failures.push(told(failure));
  } catch (error) {
    failures.push(`${target.name}: the target itself failed: ${stackOf(error)}`);
  }
  for (const line of stray.splice(0)) failures.push(`${target.name}: ${line}`);
  const took = ((performance.now() - began) / 1_000).toFixed(1);
  process.stderr.write(`${target.name}: ${String(counts[target.name] ?? 0)} inputs, ${took} s\n`);
}
const failed = failures.length;
const passed = Math.max(0, targets.length - failed);
const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(1));
for (const line of failures) process.stderr.write(`FAILED ${line}\n`);
process.stdout.write(
  values.json
    ? `${JSON.stringify({ passed, failed, failures, inputs: counts, seed, seconds })}\n`
    : `${String(passed)} targets hold, ${String(failed)} failed; seed ${String(seed)}\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
endProcess();

function told({ target, cause, input, again }: FuzzFailure): string {
  return `${target}: ${cause}; input ${input}; again: ${again}`;
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
