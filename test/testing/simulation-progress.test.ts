/** A long run that is killed goes on where it was, and counts every seed once. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batchesOf, Progress } from "../../scripts/simulation-progress.ts";
import { type Failpoint, FAILPOINTS } from "../../src/runtime/services/failpoints.ts";
import { add, isClean, nothing, totalOf, unmet } from "../../scripts/simulation-report.ts";
import { type Turn, TURNS } from "../../src/testing/simulation/history/history.ts";
import { NO_REMOTE_EDITS } from "../../src/testing/simulation/history/remote-edits.ts";
import { shrink, type Told } from "../../src/testing/simulation/shrink.ts";

const RUN = { database: "memory", world: "staying", steps: 80, code: "one" };
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-simulation-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("the progress of a run", () => {
  it("that was killed in the middle of a line tells that batch again, and no other", () => {
    const file = join(folder, "progress");
    const first = new Progress(file, RUN);
    expect([...batchesOf(1, 50, 20, (seed) => first.has(seed))]).toEqual([
      { from: 1, count: 20 },
      { from: 21, count: 20 },
      { from: 41, count: 10 },
    ]);
    first.append({ from: 1, count: 20, totals: totalsOf(1, 20), failing: [] });
    first.append({ from: 41, count: 10, totals: totalsOf(41, 10), failing: [] });
    appendFileSync(file, '{"from":21,"count":20,"tot');

    const again = new Progress(file, RUN);
    const batches = [...batchesOf(1, 50, 20, (seed) => again.has(seed))];
    expect(batches).toEqual([{ from: 21, count: 20 }]);
    again.append({ from: 21, count: 20, totals: totalsOf(21, 20), failing: [] });

    const total = nothing();
    for (const { totals } of new Progress(file, RUN).lines) add(total, totals);
    expect(total).toMatchObject({ seeds: 50, converged: 50, edits: 100, toldDifferently: 0 });
    expect(isClean(total, "staying")).toBe(true);
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(5);
  });

  it("is refused if another run wrote it", () => {
    const file = join(folder, "progress");
    new Progress(file, RUN);
    expect(() => new Progress(file, { ...RUN, steps: 40 })).toThrow(/name another file/);
    expect(() => new Progress(file, { ...RUN, code: "other" })).toThrow(/name another file/);
  });

  it("is not clean if no worker died at some failpoint in many histories", () => {
    const died = (deaths: readonly Failpoint[]) =>
      totalOf(
        Array.from({ length: 2_000 }, (_, seed) => ({
          ...{
            seed,
            edits: 2,
            apiCalls: 3,
            remote: NO_REMOTE_EDITS,
            deaths,
            turns: [],
            broken: {},
            toldDifferently: null,
          },
        })),
        100,
      );
    const all = Object.keys(FAILPOINTS) as readonly Failpoint[];
    expect(isClean(died(all), "staying")).toBe(true);
    const some = died(all.filter((point) => point !== "after:adoption"));
    expect(unmet(some, "staying")).toEqual(["no worker died after the adoption"]);
    expect(isClean(some, "staying")).toBe(false);
  });

  it("is not clean if one kind of move never happened in many histories", () => {
    const took = (turns: readonly Turn[], count: number) =>
      totalOf(
        Array.from({ length: count }, (_, seed) => ({
          ...{
            seed,
            edits: 2,
            apiCalls: 3,
            remote: NO_REMOTE_EDITS,
            deaths: [],
            turns,
            broken: {},
            toldDifferently: null,
          },
        })),
        100,
      );
    expect(isClean(took(TURNS.moving, 400), "moving")).toBe(true);
    const some = took(
      TURNS.moving.filter((turn) => turn !== "a repository was renamed"),
      400,
    );
    expect(unmet(some, "moving")).toEqual(["this never happened: a repository was renamed"]);
    expect(isClean(some, "moving")).toBe(false);
    expect(isClean(took([], 400), "staying")).toBe(true);
    expect(isClean(took([], 20), "moving")).toBe(true);
  });

  it("counts a history that breaks something, and one that told two stories", () => {
    const counts = { edits: 2, apiCalls: 3, remote: NO_REMOTE_EDITS, deaths: [], turns: [] };
    const good = { ...counts, broken: {}, toldDifferently: null };
    const total = totalOf(
      [
        { ...good, seed: 99 },
        { ...good, seed: 100, toldDifferently: "line 3" },
        { ...good, seed: 101, broken: { lost: ["title 1."] } },
      ],
      100,
    );
    expect(total).toMatchObject({ seeds: 3, converged: 2, toldTwice: 1, toldDifferently: 1 });
    expect(total.broken).toMatchObject({ lost: 1, stuck: 0 });
    expect(isClean(total, "staying")).toBe(false);
  });
});

describe("making a history short", () => {
  it("leaves out every move and every fault that is not needed", async () => {
    const moves = Array.from({ length: 200 }, (_, index) => index + 1);
    const needed = [17, 18, 150];
    const tellings: Told[] = [];
    const short = await shrink(
      { moves, without: [] },
      {
        fails: async (told) => {
          tellings.push(told);
          const isWhole = needed.every((move) => told.moves.includes(move));
          return isWhole && !told.without.includes("drops");
        },
      },
    );
    expect(short.moves).toEqual(needed);
    expect(short.without).not.toContain("drops");
    expect(short.without).toContain("failpoints");
    expect(tellings.length).toBeLessThan(150);
  });
});

function totalsOf(from: number, count: number) {
  const reports = Array.from({ length: count }, (_, index) => ({
    seed: from + index,
    edits: 2,
    apiCalls: 3,
    remote: NO_REMOTE_EDITS,
    deaths: [],
    turns: [],
    broken: {},
    toldDifferently: null,
  }));
  return totalOf(reports, 100);
}
