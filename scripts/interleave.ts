/**
 * `npm run interleave -- --seeds 2000 --json`: histories whose transactions overlap. A seed interleaves the
 * statements of workers and people on a real Postgres. It exits with 1 unless every invariant holds.
 *
 * A failing history is shrunk, and the fewest steps and pauses that still fail are printed, statement by statement.
 * `--seed 17` runs one history, `--only 3,9,9.4` only those of its steps and pauses. `--from 100` starts there.
 */
import { parseArgs } from "node:util";
import {
  type Interleaved,
  type Interleave,
  openInterleave,
} from "../src/testing/interleave/interleave.ts";
import type { Part } from "../src/testing/interleave/plan.ts";
import { tellInterleaved } from "../src/testing/interleave/tell.ts";
import {
  type InterleavingInvariant,
  INTERLEAVING_INVARIANTS,
} from "../src/testing/interleave/verdict.ts";
import { leaveOut } from "../src/testing/shrink.ts";
import { endProcess } from "./end-process.ts";
import { type OpenInterleave, openInterleavedPostgres, openServer } from "./interleave-world.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: "4" },
    only: { type: "string" },
    shrink: { type: "boolean", default: true },
    json: { type: "boolean", default: false },
  },
  allowNegative: true,
});

/** A long run prints its progress each time it has run this many seeds. */
const PROGRESS = 100;
/** How many failing seeds are shrunk; the others are only named. */
const SHRUNK = 3;
/** How often a failing history may run while it is shrunk. */
const BUDGET = 200;

const NAMES = Object.keys(INTERLEAVING_INVARIANTS) as readonly InterleavingInvariant[];

const server = await openServer();
const jobs = values.seed === undefined ? Number(values.jobs) : 1;
const opened: OpenInterleave[] = [];
try {
  for (let job = 1; job <= jobs; job += 1) {
    opened.push(await openInterleavedPostgres(server.adminUrl, job));
  }
  const tellers: Interleave[] = [];
  for (const each of opened) tellers.push(await openInterleave(each));
  const [first] = tellers;
  const isClean =
    values.seed === undefined || first === undefined
      ? await tellMany(tellers, Number(values.from), Number(values.seeds))
      : await tellOne(first, Number(values.seed));
  process.exitCode = isClean ? 0 : 1;
} finally {
  for (const each of opened) await each.close();
  await server.stop();
}
endProcess();

/** Runs several histories in parallel, because each waits for Postgres most of the time. */
async function tellMany(
  tellers: readonly Interleave[],
  from: number,
  seeds: number,
): Promise<boolean> {
  const broken = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<
    InterleavingInvariant,
    number
  >;
  const total = { seeds: 0, converged: 0, edits: 0, apiCalls: 0, statements: 0 };
  const failing: Interleaved[] = [];
  const startedAt = performance.now();
  let next = from;
  const tellSome = async (tell: Interleave) => {
    while (next < from + seeds) {
      next += 1;
      note(await tell(next - 1));
    }
  };
  const note = (told: Interleaved) => {
    total.seeds += 1;
    total.converged += Number(told.converged);
    total.edits += told.edits;
    total.apiCalls += told.apiCalls;
    total.statements += told.trace.length;
    for (const name of NAMES) broken[name] += Number(told.verdict[name].length > 0);
    if (total.seeds % PROGRESS === 0 && total.seeds < seeds) {
      process.stderr.write(
        `${String(total.converged)} of ${String(total.seeds)} histories converged, ${String(seeds)} in all\n`,
      );
    }
    if (told.converged) return;
    failing.push(told);
    say(told);
  };
  await Promise.all(tellers.map(tellSome));
  const [teller] = tellers;
  const perSecond = Number(((total.seeds * 1_000) / (performance.now() - startedAt)).toFixed(1));
  const figures = {
    passed: total.converged,
    failed: failing.length,
    failures: failing.slice(0, 50).map(({ seed }) => `seed ${String(seed)}`),
    ...total,
    broken,
    perSecond,
  };
  if (values.shrink && teller !== undefined) {
    for (const told of failing.slice(0, SHRUNK)) await shrink(teller, told);
  }
  const words = `${String(total.converged)} of ${String(total.seeds)} histories converged; `;
  process.stdout.write(`${values.json ? "" : words}${JSON.stringify(figures)}\n`);
  return failing.length === 0;
}

async function tellOne(tell: Interleave, seed: number): Promise<boolean> {
  const only = values.only?.split(",");
  const told = await tell(seed, only);
  tellStory(told, only);
  if (!told.converged && values.shrink) await shrink(tell, told);
  return told.converged;
}

/** Shrinks a failing history and prints the rest. */
async function shrink(tell: Interleave, { seed, parts, verdict }: Interleaved): Promise<void> {
  const names = NAMES.filter((name) => verdict[name].length > 0);
  const fails = async (only: readonly Part[]) => {
    const part = await tell(seed, only);
    return names.some((name) => part.verdict[name].length > 0);
  };
  if (!(await fails(parts))) {
    process.stderr.write(`seed ${String(seed)} did not fail in a second run\n`);
    return;
  }
  const short = await leaveOut(parts, { fails, budget: BUDGET });
  process.stderr.write(`\nseed ${String(seed)} shrunk:\n`);
  tellStory(await tell(seed, short), short);
}

function tellStory(told: Interleaved, only?: readonly Part[]): void {
  for (const line of tellInterleaved(told)) process.stderr.write(`  ${line}\n`);
  for (const line of told.story) process.stderr.write(`  ledger: ${line}\n`);
  say(told, only);
}

function say({ seed, converged, verdict }: Interleaved, only?: readonly Part[]): void {
  const words = converged ? "every invariant holds" : "DOES NOT HOLD";
  process.stderr.write(`seed ${String(seed)}: ${words}\n`);
  for (const name of NAMES) {
    for (const line of verdict[name]) process.stderr.write(`  ${name}: ${line}\n`);
  }
  const part = only === undefined ? "" : ` --only ${only.join(",")}`;
  if (converged) return;
  process.stderr.write(`  again: npm run interleave -- --seed ${String(seed)}${part}\n`);
}
