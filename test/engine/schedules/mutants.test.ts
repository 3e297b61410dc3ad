/** Each rule of the protocol matters: the engine without it is found out by some schedule. */
import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import { mutants } from "./mutants.ts";

/** Enough to pass the place where the mutant fails; `schedules.test.ts` walks to the end. */
const MOST = 4_000;

describe("without the rule a schedule fails, and with it none of the same", () => {
  it.each(mutants)("$rule", { timeout: 120_000 }, ({ engine, whole, options }) => {
    expect(explore(engine, options).violation).not.toBeNull();
    const { violation, trail } = explore(whole, options, MOST);
    expect({ violation, trail }).toEqual({ violation: null, trail: [] });
  });
});
