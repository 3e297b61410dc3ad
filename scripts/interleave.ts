/**
 * `npm run interleave -- --seeds 2000 --json`: histories whose transactions overlap. A seed interleaves the
 * statements of workers and people on a real Postgres. It exits with 1 unless every invariant holds.
 *
 * `--seed 17` tells one, with each statement in its order. `--from 100` begins there.
 */
import { parseArgs } from "node:util";
import {
  type Interleaved,
  type Interleave,
  openInterleave,
} from "../src/testing/interleave/interleave.ts";
import { type Invariant, INVARIANTS } from "../src/testing/interleave/verdict.ts";
import { endProcess } from "./end-process.ts";
import { type OpenInterleave, openInterleavedPostgres, openServer } from "./interleave-world.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: "4" },
    json: { type: "boolean", default: false },
  },
});

const NAMES = Object.keys(INVARIANTS) as readonly Invariant[];

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
      : tellStory(await first(Number(values.seed)));
  process.exitCode = isClean ? 0 : 1;
} finally {
  for (const each of opened) await each.close();
  await server.stop();
}
endProcess();

/** Histories wait for Postgres most of the time, so several are told at once. */
async function tellMany(
  tellers: readonly Interleave[],
  from: number,
  seeds: number,
): Promise<boolean> {
  const broken = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<Invariant, number>;
  const total = { seeds: 0, converged: 0, edits: 0, apiCalls: 0, statements: 0 };
  const failing: number[] = [];
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
    if (told.converged) return;
    failing.push(told.seed);
    say(told);
  };
  await Promise.all(tellers.map(tellSome));
  const perSecond = Number(((total.seeds * 1_000) / (performance.now() - startedAt)).toFixed(1));
  const figures = { ...total, broken, failing: failing.slice(0, 50), perSecond };
  const words = `${String(total.converged)} of ${String(total.seeds)} histories converged; `;
  process.stdout.write(`${values.json ? "" : words}${JSON.stringify(figures)}\n`);
  return failing.length === 0;
}

function tellStory(told: Interleaved): boolean {
  for (const line of told.trace) process.stderr.write(`  ${line}\n`);
  for (const line of told.story) process.stderr.write(`  ledger: ${line}\n`);
  say(told);
  return told.converged;
}

function say({ seed, converged, verdict }: Interleaved): void {
  const words = converged ? "every invariant holds" : "DOES NOT HOLD";
  process.stderr.write(`seed ${String(seed)}: ${words}\n`);
  for (const name of NAMES) {
    for (const line of verdict[name]) process.stderr.write(`  ${name}: ${line}\n`);
  }
  if (!converged) process.stderr.write(`  again: npm run interleave -- --seed ${String(seed)}\n`);
}
