/** The fuzzing machine: its targets hold for a few inputs, and what does not hold can be told again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textOf } from "./junk.ts";
import { fuzzTarget, must } from "./target.ts";
import { FUZZ_TARGETS } from "./targets.ts";

describe("a failure", () => {
  const target = fuzzTarget({
    name: "small numbers",
    share: 1,
    inputs: fc.record({ number: fc.nat(1_000_000) }),
    open: () =>
      Promise.resolve({
        check({ number }: { readonly number: number }) {
          must(number < 1_000, () => "too large");
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      }),
  });

  it("comes with the shortest input and the command that tells it again", async () => {
    const { failure } = await target.run({ inputs: 500, seed: 7 });
    expect(failure).toMatchObject({ target: "small numbers", seed: 7, input: '[{"number":1000}]' });
    expect(failure?.cause).toContain("too large");
    const path = failure?.path ?? "";
    expect(failure?.again).toBe(`npm run fuzz -- --only "small numbers" --seed 7 --path ${path}`);
    const again = await target.run({ inputs: 500, seed: 7, path });
    expect(again.failure?.input).toBe('[{"number":1000}]');
  });

  it("is none where every input holds", async () => {
    const held = await target.run({ inputs: 1, seed: 7, path: "0" });
    expect(held.inputs).toBe(1);
  });
});

describe("the targets", () => {
  it("share all inputs among them, under names of their own", () => {
    const names = FUZZ_TARGETS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(FUZZ_TARGETS.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  const pure = FUZZ_TARGETS.filter(({ name }) => !name.includes("pglite"));
  it.each(pure.map((target) => [target.name, target] as const))(
    "hold for a few inputs: %s",
    async (_, target) => {
      expect(await target.run({ inputs: 60, seed: 1 })).toEqual({ inputs: 60, failure: null });
    },
  );
});

describe("a mark in an odd text", () => {
  it("is unfolded in the JSON text, also where it stands for nesting", () => {
    expect(textOf({ a: "@deep 3@", b: "@repeat 2 \\n@" })).toBe('{"a":[[[]]],"b":"\\n\\n"}');
    expect((JSON.parse(textOf(["@digits 40@"])) as string[])[0]).toMatch(/^7\d{40}$/);
  });
});
