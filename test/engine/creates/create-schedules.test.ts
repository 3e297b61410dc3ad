/** Creating exactly once: every schedule of one create ends with one record and one resource of ours. */
import { describe, expect, it } from "vitest";
import { exploreCreates } from "./create-explore.ts";
import { createMutants } from "./create-mutants.ts";
import { firstCreateWorld } from "./create-state.ts";
import { createRules } from "./create-world.ts";

/** For a search that hangs, not for one that is slow: a machine may stand still for a minute. */
const LONG = { timeout: 120_000 };

/** More worlds than this tell that something in them counts on for ever. */
const BOUND = 20_000;

describe("every schedule of one create", () => {
  it.each([
    ["without a fault", 0, 0],
    ["with a person's copy", 0, 1],
    ["with two requests that go astray", 2, 0],
    ["with two requests that go astray and a person's copy", 2, 1],
    ["with a person's copy in other words", 0, 1, true],
    ["with two requests that go astray and a person's copy in other words", 2, 1, true],
  ])(
    "%s leaves one record, one resource of ours, and what is others' alone",
    LONG,
    (_of, faults, copies, reworded = false) => {
      const { violation, trail, worlds } = exploreCreates(
        createRules,
        firstCreateWorld(faults, copies, true, "account", reworded),
      );
      expect({ violation, trail }).toEqual({ violation: null, trail: [] });
      expect(worlds).toBeGreaterThan(5);
      expect(worlds).toBeLessThan(BOUND);
    },
  );
});

describe.each(["author", "both"] as const)("every schedule of one create by %s", (writers) => {
  it.each([
    ["without a fault", 0, 0],
    ["with a copy", 0, 1],
    ["with two requests that go astray", 2, 0],
    ["with two requests that go astray and a copy", 2, 1],
    ["with a copy in other words", 0, 1, true],
    ["with two requests that go astray and a copy in other words", 2, 1, true],
  ])(
    "%s leaves one record, one resource of ours, and what is others' alone",
    LONG,
    (_of, faults, copies, reworded = false) => {
      const first = firstCreateWorld(faults, copies, true, writers, reworded);
      const { violation, trail, worlds } = exploreCreates(createRules, first);
      expect({ violation, trail }).toEqual({ violation: null, trail: [] });
      expect(worlds).toBeGreaterThan(5);
      expect(worlds).toBeLessThan(BOUND);
    },
  );
});

describe("every schedule of one create without room for its token", () => {
  it.each([
    ["without a fault", 0, 0],
    ["with a person's resource of the same content", 0, 1],
    ["with two outcomes lost", 2, 0],
    ["with two outcomes lost and a person's resource of the same content", 2, 1],
  ])(
    "%s leaves one record, one resource of ours, and what is others' alone",
    LONG,
    (_of, faults, copies) => {
      const { violation, trail, worlds } = exploreCreates(
        createRules,
        firstCreateWorld(faults, copies, false),
      );
      expect({ violation, trail }).toEqual({ violation: null, trail: [] });
      expect(worlds).toBeGreaterThan(5);
      expect(worlds).toBeLessThan(BOUND);
    },
  );
});

describe("without the rule a schedule fails", () => {
  it.each(createMutants)("$rule", ({ rules, violation, ...of }) => {
    const { faults, copies, room, writers, reworded } = of;
    const first = firstCreateWorld(faults, copies, room, writers, reworded);
    const found = exploreCreates(rules, first).violation;
    expect(found).not.toBeNull();
    if (violation !== undefined) expect(found).toBe(violation);
  });
});
