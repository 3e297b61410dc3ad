/** The list of stages: what it must contain, and how long all of it may take. */
import { describe, expect, it } from "vitest";
import { plannedMinutes } from "../../../scripts/ci/schedule.ts";
import { FOR_PROOF, INSTALL, PROOF, stagesOf } from "../../../scripts/ci/stages.ts";

const stages = stagesOf("00000000");

describe("the stages of CI", () => {
  it("have names of their own", () => {
    const names = stages.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(["lint", "npm test", "crash matrix", "mutants", "models"]),
    );
  });

  it("have budgets, and all of them together stay under twelve minutes", () => {
    expect(stages.every(({ minutes }) => minutes > 0)).toBe(true);
    const planned = plannedMinutes([INSTALL, ...stages]);
    expect(planned).toBeGreaterThan(6);
    expect(planned).toBeLessThan(12);
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
    const all = Array.from({ length: 24 }, (_, commit) => commit.toString(16)).flatMap(shards);
    const parts = (name: string, count: number) =>
      Array.from({ length: count }, (_, part) => `${name} ${String(part + 1)}/${String(count)}`);
    expect([...new Set(all)].sort()).toEqual(
      [
        ...parts("models", 12),
        ...parts("long tests", 24),
        ...parts("crash matrix", 12),
        ...parts("mutants", 12),
      ].sort(),
    );
  });
});

describe("the proof", () => {
  it("has each machine of CI that checks a part there, in full", () => {
    const names = new Set(PROOF.map(({ name }) => name));
    const partly = stages.filter(({ command }) => command.includes("--shard"));
    expect(partly.filter(({ name }) => !names.has(name))).toEqual([]);
    expect(PROOF.filter(({ command }) => command.includes("--shard"))).toEqual([]);
    expect(names.size).toBe(PROOF.length);
  });

  it("uses only variables that are set before each part", () => {
    const set = FOR_PROOF.flatMap(({ sets }) => (sets === undefined ? [] : [`$${sets}`]));
    const used = PROOF.flatMap(({ command }) => command.filter((one) => one.startsWith("$")));
    expect(used.filter((one) => !set.includes(one))).toEqual([]);
  });
});
