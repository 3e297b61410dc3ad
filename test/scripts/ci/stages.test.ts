/** The list of stages: what it must contain, and how long all of it may take. */
import { describe, expect, it } from "vitest";
import { plannedMinutes } from "../../../scripts/ci/schedule.ts";
import { INSTALL, stagesOf } from "../../../scripts/ci/stages.ts";

const stages = stagesOf("00000000");

describe("the stages of CI", () => {
  it("have names of their own", () => {
    const names = stages.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(["lint", "unit + integration", "crash matrix", "mutants", "spec"]),
    );
  });

  it("have budgets, and all of them together stay under thirty minutes", () => {
    expect(stages.every(({ minutes }) => minutes > 0)).toBe(true);
    const planned = plannedMinutes([INSTALL, ...stages]);
    expect(planned).toBeGreaterThan(10);
    expect(planned).toBeLessThan(30);
  });

  it("use only variables that a stage before them sets", () => {
    const set = new Set<string>();
    for (const stage of stages) {
      const used = stage.command.filter((element) => element.startsWith("$"));
      expect([stage.name, used.filter((name) => !set.has(name))]).toEqual([stage.name, []]);
      if (stage.sets !== undefined) set.add(`$${stage.sets}`);
    }
  });

  it("check every part of the long lists, over the commits", () => {
    const shards = (commit: string) =>
      stagesOf(commit).flatMap(({ name, command }) => {
        const at = command.indexOf("--shard");
        return at === -1 ? [] : [`${name} ${command[at + 1] ?? ""}`];
      });
    const all = ["0", "1", "2", "3", "4", "ffffffff"].flatMap(shards);
    expect([...new Set(all)].sort()).toEqual([
      ...["crash matrix 1/2", "crash matrix 2/2"],
      ...["mutants 1/3", "mutants 2/3", "mutants 3/3"],
      ...[1, 2, 3, 4].map((part) => `situations on PGlite ${String(part)}/4`),
    ]);
  });
});
