/** What `.ci/run` may take: each stage says it, and all together stay under half an hour. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const script = readFileSync(fileURLToPath(new URL("../../.ci/run", import.meta.url)), "utf8");

/** Minutes that a line of the script allows its stage. */
const STAGE = /^\s*(?:stage|tests|counted) (\d+(?:\.\d)?) "([^"]+)"/gm;

describe("the budgets of CI", () => {
  const stages = [...script.matchAll(STAGE)].map(([, minutes, name = ""]) => ({
    name,
    // One for each older Postgres.
    times: name.includes("${") && name.startsWith("postgres") ? olderPostgres() : 1,
    minutes: Number(minutes),
  }));

  it("are given for every stage", () => {
    const names = stages.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["lint", "unit + integration", "crash matrix", "mutants", "spec"]),
    );
    const calls = script.match(/^\s*(?:stage|tests|counted) [^B]/gm) ?? [];
    expect(stages).toHaveLength(calls.length);
  });

  it("sum up to less than thirty minutes", () => {
    const sum = stages.reduce((total, { minutes, times }) => total + minutes * times, 0);
    expect(sum).toBeGreaterThan(10);
    expect(sum).toBeLessThan(30);
  });
});

function olderPostgres(): number {
  return /^older_postgres=\(([^)]*)\)/m.exec(script)?.[1]?.split(/\s+/).length ?? 0;
}
