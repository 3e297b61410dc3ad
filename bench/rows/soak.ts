/**
 * Row 13: a week of a busy team, measured in edits instead of days: two million edits of a thousand issues. All
 * growth that the row measures happens by then as in a week. The first half warms up; the figures at the end
 * must be those of the middle.
 *
 * Ledger and deliveries grow with every edit, since nothing prunes them yet. For them the row compares the
 * bytes per edit of the two halves.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { product } from "../contenders/product.ts";
import type { Entry, FigureOf, Row, Setting } from "../harness/bench.ts";
import { withOwnDatabase } from "../harness/own-database.ts";
import type { Sample, SoakAssignment } from "../soak/main.ts";

const MAIN = fileURLToPath(new URL("../soak/main.ts", import.meta.url));
const EDITS = 2_000_000;
/** Two a day. */
const SAMPLES = 14;
const MB = 2 ** 20;

const soak: Entry = {
  name: "soak",
  run: (setting) =>
    withOwnDatabase(setting.adminUrl, "bench_soak", async ({ url, pool }) => {
      await product.setUp(pool);
      const samples = await runSoak(setting, { url, samples: SAMPLES, edits: sizeOf(setting) });
      return { figures: figuresOf(samples), faults: await faultsOf(pool, sizeOf(setting)) };
    }),
};

export const SOAK: readonly Row[] = [
  rowOf("live tables and their indexes", "live", "liveMiddle", 1.1, "most"),
  rowOf("ledger and deliveries, an edit", "ledgerLater", "ledgerEarlier", 1.1, "most"),
  rowOf("JavaScript's heap after a collection", "heap", "heapMiddle", 1.1, "most"),
  rowOf("edits each second", "perSecond", "perSecondMiddle", 0.9, "least"),
];

function rowOf(
  what: string,
  late: string,
  early: string,
  goal: number,
  goalIs: Row["goalIs"],
): Row {
  const figure = (name: string): FigureOf => ({ entry: soak, figure: name });
  return {
    ...{ id: 13, name: `a week's soak: ${what}`, goal, goalIs, length: "long", rounds: 1 },
    ...{ of: figure(late), to: figure(early), against: "the same in the middle of the week" },
  };
}

function figuresOf(samples: readonly Sample[]) {
  const middle = Math.floor(samples.length / 2) - 1;
  const [first, half, last] = [samples[0], samples[middle], samples.at(-1)];
  if (first === undefined || half === undefined || last === undefined) return {};
  const steps = { early: middle, late: samples.length - 1 - middle };
  return {
    ...{ live: last.live / MB, liveMiddle: half.live / MB },
    ledgerEarlier: (half.ledger - first.ledger) / steps.early / MB,
    ledgerLater: (last.ledger - half.ledger) / steps.late / MB,
    ...{ ledger: last.ledger / MB, dead: last.dead, deadMiddle: half.dead },
    ...{ heap: last.heap / MB, heapMiddle: half.heap / MB },
    ...{ resident: last.resident / MB, residentMiddle: half.resident / MB },
    perSecond: mean(samples.slice(middle + 1)),
    perSecondMiddle: mean(samples.slice(1, middle + 1)),
  };
}

function mean(samples: readonly Sample[]): number {
  return samples.reduce((sum, { perSecond }) => sum + perSecond, 0) / samples.length;
}

function sizeOf({ scale, warmUp }: Setting): number {
  return Math.max(SAMPLES * 500, Math.round(EDITS * scale * (warmUp ? 0.005 : 1)));
}

async function runSoak(
  { nodeFlags }: Setting,
  assignment: SoakAssignment,
): Promise<readonly Sample[]> {
  const execArgv = [...nodeFlags, "--expose-gc"];
  const child = fork(MAIN, { execArgv });
  const ended = once(child, "exit").then(() => {
    throw new Error("the process of the soak ended without a result");
  });
  ended.catch(() => undefined);
  try {
    child.send(assignment);
    const [samples] = (await Promise.race([once(child, "message"), ended])) as [readonly Sample[]];
    await once(child, "exit");
    return samples;
  } finally {
    if (child.exitCode === null) child.kill("SIGKILL");
  }
}

async function faultsOf(
  pool: Parameters<typeof product.setUp>[0],
  edits: number,
): Promise<readonly string[]> {
  const { rows } = await pool.query<{ ended: string }>(
    "select count(*) as ended from tandem.events where finished_at is not null",
  );
  const stuck = edits - Number(rows[0]?.ended ?? 0);
  return stuck === 0 ? [] : [`soak: ${String(stuck)} edits have no outcome`];
}
