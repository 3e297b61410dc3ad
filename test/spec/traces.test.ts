/**
 * The schedules that refute a mutant of a model, run against the engine: it ends well on each. An
 * engine with the same mutant does not.
 */
import { describe, expect, it } from "vitest";
import { engine } from "../engine/schedules/engine-under-test.ts";
import { createMutants } from "../engine/creates/create-mutants.ts";
import { createRules } from "../engine/creates/create-world.ts";
import { mutants } from "../engine/schedules/mutants.ts";
import type { holdsClaim } from "../../src/engine/lane/claim.ts";
import { processing } from "../../src/engine/lane/transition.ts";
import { replayFence } from "./fence-world.ts";
import { replay, replayCreate } from "./replay.ts";
import { createWorldOf, readTrace, refutedRows, worldOptions } from "./traces.ts";

const createRows = refutedRows.filter(({ model }) => model === "create");
const fenceRows = refutedRows.filter(({ model }) => model === "fence");
/** The check of the claim without the rule, by the row's name. */
const unfenced: Readonly<Record<string, typeof holdsClaim>> = {
  "no-hold": () => true,
  "no-epoch": (lane, { event }) => processing(lane)?.id === event,
};
const laneRows = refutedRows.filter(({ model }) => model === "lane" || model === "delete");
const createMutated = createRows.flatMap((row) => {
  const mutant = createMutants.find(({ rule }) => rule === row.engineMutant);
  return mutant === undefined ? [] : [{ ...row, mutant }];
});
const mutated = laneRows.flatMap((row) => {
  const mutant = mutants.find(({ rule }) => rule === row.engineMutant);
  return mutant === undefined ? [] : [{ ...row, mutant }];
});

describe("the engine ends well on the schedule that refutes a model", () => {
  it.each(laneRows)("$name", async (row) => {
    const { steps } = await readTrace(row);
    const { violation } = replay(engine, worldOptions(row), steps);
    expect(violation).toBeNull();
  });

  it.each(createRows)("$name", async (row) => {
    const { steps } = await readTrace(row);
    expect(replayCreate(createRules, createWorldOf(row), steps).violation).toBeNull();
  });

  it.each(fenceRows)("$name", async (row) => {
    const { steps } = await readTrace(row);
    expect(replayFence(steps).violation).toBeNull();
  });
});

describe("without the rule the engine fails on the same schedule", () => {
  it("as many mutants as the matrix names", () => {
    const named = refutedRows.filter(({ engineMutant }) => engineMutant !== undefined);
    expect(mutated.length + createMutated.length).toBe(named.length);
  });

  it.each(mutated)("$name", async ({ mutant, ...row }) => {
    const { steps } = await readTrace(row);
    expect(replay(mutant.engine, worldOptions(row), steps)).toMatchObject({
      violation: expect.any(String),
      leftOut: [],
    });
  });

  it.each(createMutated)("$name", async ({ mutant, ...row }) => {
    const { steps } = await readTrace(row);
    expect(replayCreate(mutant.rules, createWorldOf(row), steps)).toMatchObject({
      violation: expect.any(String),
      leftOut: [],
    });
  });

  it.each(fenceRows)("$name", async (row) => {
    const { steps } = await readTrace(row);
    expect(replayFence(steps, unfenced[row.name])).toMatchObject({
      violation: expect.any(String),
      leftOut: [],
    });
  });
});
