/**
 * `npm run simulate -- --seeds 10000 --json`: histories with every fault enabled. It exits with 1 unless every
 * invariant holds in each of them, and the one in a hundred that runs twice has the same trace both times.
 *
 * `--world polling`: all or many webhooks are lost, and every remote edit that was overwritten unread is counted:
 * `remoteEdits`, `overwrittenUnread`, with its parts `withinRoundTrip` and `behindStaleRead`.
 * `--world moving`: tasks and comments move between connections, issues are transferred, repositories are renamed,
 * people sign up and have tokens.
 * `--seed 17` runs one history and prints its story, `--moves 3,9` runs only those of its moves, `--without drops`
 * runs it without that fault. `--resume FILE` keeps the progress of a long run. Failing histories are shrunk.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { WORLD_KINDS, type WorldKind } from "../src/testing/simulation/world/places.ts";
import { type Fault, FAULTS } from "../src/testing/simulation/plan.ts";
import { shrink, type Told } from "../src/testing/simulation/shrink.ts";
import { simulate, type SimulationResult } from "../src/testing/simulation/simulate.ts";
import { endProcess } from "./end-process.ts";
import { tellAll } from "./simulation-crew.ts";
import { batchesOf, digestOfCode, Progress } from "./simulation-progress.ts";
import {
  add,
  isClean,
  NAMES,
  nothing,
  reportOf,
  type SeedReport,
  totalOf,
  unmet,
  TWICE_EVERY,
} from "./simulation-report.ts";
import { openShared, openWorld } from "./simulation-world.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "80" },
    moves: { type: "string" },
    without: { type: "string" },
    database: { type: "string", default: "memory" },
    world: { type: "string", default: "staying" },
    jobs: { type: "string", default: String(availableParallelism()) },
    resume: { type: "string" },
    twice: { type: "boolean", default: false },
    shrink: { type: "boolean", default: true },
    json: { type: "boolean", default: false },
  },
  allowNegative: true,
});

/** How many failing seeds are shrunk; the others are only named. */
const SHRUNK = 3;
const BATCH = 10;

const { database } = values;
const kind = kindOf(values.world);
const steps = numberOf("steps", values.steps);
const twiceEvery = values.twice ? 1 : TWICE_EVERY;
process.exitCode = (await (values.seed === undefined ? tellMany() : tellOne(values.seed))) ? 0 : 1;
endProcess();

async function tellMany(): Promise<boolean> {
  const progress =
    values.resume === undefined
      ? null
      : new Progress(values.resume, { database, world: kind, steps, code: digestOfCode() });
  const first = numberOf("from", values.from);
  const count = numberOf("seeds", values.seeds);
  const total = nothing();
  const failing: SeedReport[] = [];
  for (const line of progress?.lines ?? []) {
    add(total, line.totals);
    failing.push(...line.failing);
  }
  const startedAt = performance.now();
  let toldNow = 0;
  const batches = batchesOf(first, count, BATCH, (seed) => progress?.has(seed) ?? false);
  const jobs = Math.min(numberOf("jobs", values.jobs), Math.ceil(count / BATCH));
  const closeShared = await openShared(database);
  await tellAll(batches, { database, kind, steps, twiceEvery }, jobs, (batch, reports) => {
    const totals = totalOf(reports, twiceEvery);
    const bad = reports.filter((report) => !holds(report));
    progress?.append({ ...batch, totals, failing: bad });
    add(total, totals);
    failing.push(...bad);
    toldNow += reports.length;
    for (const report of bad) tell(report);
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  if (values.shrink) for (const report of failing.slice(0, SHRUNK)) await makeShort(report);
  await closeShared();
  const perSecond = Number((toldNow / Math.max(seconds, 0.001)).toFixed(1));
  const missing = unmet(total, kind);
  const clean = isClean(total, kind);
  const figures = {
    passed: total.converged,
    failed: clean ? 0 : Math.max(1, total.seeds - total.converged),
    failures: [...missing, ...failing.slice(0, 50).map(({ seed }) => `seed ${String(seed)}`)],
    ...total,
    perSecond,
  };
  for (const words of missing) say(words);
  const words = `${String(total.converged)} of ${String(total.seeds)} histories converged; `;
  process.stdout.write(`${values.json ? "" : words}${JSON.stringify(figures)}\n`);
  return clean;
}

async function tellOne(text: string): Promise<boolean> {
  const seed = numberOf("seed", text);
  const { world, close } = await openWorld(database, kind);
  try {
    const told = await simulate({ seed, world, steps, ...onlyGiven() });
    tellStory(told);
    if (!values.twice) return told.converged;
    const again = await simulate({ seed, world, steps, ...onlyGiven() });
    if (again.trace !== told.trace) say("its second run has another trace");
    return told.converged && again.trace === told.trace;
  } finally {
    await close();
  }
}

/** The parts of the history that the options select. */
function onlyGiven(): Partial<Told> {
  const moves = values.moves?.split(",").map((id) => numberOf("moves", id));
  const without = values.without?.split(",").map((name): Fault => {
    const fault = FAULTS.find((known) => known === name);
    if (fault === undefined) {
      throw new Error(`--without ${name}: must be one of ${FAULTS.join(", ")}`);
    }
    return fault;
  });
  return {
    ...(moves === undefined ? {} : { moves }),
    ...(without === undefined ? {} : { without }),
  };
}

/** Shrinks a failing history and prints the rest. */
async function makeShort({ seed, broken }: SeedReport): Promise<void> {
  const names = NAMES.filter((name) => broken[name] !== undefined);
  if (names.length === 0) return;
  const { world, close } = await openWorld(database, kind);
  try {
    const tellPart = (told: Partial<Told>) => simulate({ seed, world, steps, ...told });
    const { moves } = await tellPart({});
    const fails = async (told: Told) => {
      const { verdict } = await tellPart(told);
      return names.some((name) => verdict[name].length > 0);
    };
    const short = await shrink({ moves, without: [] }, { fails });
    say(`\nseed ${String(seed)} shrunk to ${String(short.moves.length)} of its moves:`);
    tellStory(await tellPart(short));
    const without = short.without.length === 0 ? "" : ` --without ${short.without.join(",")}`;
    const from = database === "memory" ? "" : ` --database ${database}`;
    const where = kind === "staying" ? "" : ` --world ${kind}`;
    say(
      `  again: npm run simulate -- --seed ${String(seed)}${where}${from} --steps ${values.steps} --moves ${short.moves.join(",")}${without}`,
    );
  } finally {
    await close();
  }
}

function holds({ broken, toldDifferently }: SeedReport): boolean {
  return Object.keys(broken).length === 0 && toldDifferently === null;
}

function tellStory(result: SimulationResult): void {
  for (const line of result.story) say(`  ${line}`);
  for (const line of result.ledger) say(`  ledger: ${line}`);
  tell(reportOf(result, null));
}

function tell(report: SeedReport): void {
  const { seed, broken, toldDifferently } = report;
  say(`seed ${String(seed)}: ${holds(report) ? "every invariant holds" : "DOES NOT HOLD"}`);
  for (const name of NAMES) for (const line of broken[name] ?? []) say(`  ${name}: ${line}`);
  if (toldDifferently !== null) say(`  a second run differs from ${toldDifferently}`);
}

/** @throws Error unless the text is a whole number above zero. */
function numberOf(option: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`--${option} ${text}: must be a whole number above zero`);
}

/** @throws Error for an unknown kind of world. */
function kindOf(text: string): WorldKind {
  const kind = WORLD_KINDS.find((known) => known === text);
  if (kind === undefined) {
    throw new Error(`--world ${text}: must be one of ${WORLD_KINDS.join(", ")}`);
  }
  return kind;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
