/** Creating exactly once: every schedule of one create ends with one record and one resource of ours. */
import { describe, expect, it } from "vitest";
import {
  createFingerprint,
  createViolation,
  type CreateWorld,
  firstCreateWorld,
} from "./create-state.ts";
import { createMoves, createRules, type CreateRules } from "./create-world.ts";

interface Node {
  readonly world: CreateWorld;
  readonly trail: readonly string[];
}

function exploreCreates(rules: CreateRules, faults: number, copies: number, room = true) {
  const first = firstCreateWorld(faults, copies, room);
  const met = new Set([createFingerprint(first)]);
  const stack: Node[] = [{ world: first, trail: [] }];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { world, trail } = node;
    const violation = world.phase === "swept" ? createViolation(world) : null;
    if (violation !== null) return { violation, trail, worlds: met.size };
    const steps = createMoves(world, rules);
    if (steps.length === 0 && world.phase !== "swept") {
      return { violation: "stuck", trail, worlds: met.size };
    }
    for (const step of steps) {
      const key = createFingerprint(step.world);
      if (met.has(key)) continue;
      met.add(key);
      stack.push({ world: step.world, trail: [...trail, step.name] });
    }
  }
  return { violation: null, trail: [], worlds: met.size };
}

describe("every schedule of one create", () => {
  it.each([
    ["without a fault", 0, 0],
    ["with a person's copy", 0, 1],
    ["with two requests that go astray", 2, 0],
    ["with two requests that go astray and a person's copy", 2, 1],
  ])(
    "%s leaves one record, one resource of ours, and what is others' alone",
    (_of, faults, copies) => {
      const { violation, trail, worlds } = exploreCreates(createRules, faults, copies);
      expect({ violation, trail }).toEqual({ violation: null, trail: [] });
      expect(worlds).toBeGreaterThan(5);
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
    (_of, faults, copies) => {
      const { violation, trail, worlds } = exploreCreates(createRules, faults, copies, false);
      expect({ violation, trail }).toEqual({ violation: null, trail: [] });
      expect(worlds).toBeGreaterThan(5);
    },
  );
});

describe("without the rule a schedule fails", () => {
  it("ours is what was written by our identity, not what carries the token", () => {
    const rules: CreateRules = {
      ...createRules,
      identify: (arrival, byId, byToken, identity) =>
        createRules.identify({ ...arrival, author: identity }, byId, byToken, identity),
    };
    expect(exploreCreates(rules, 0, 1).violation).not.toBeNull();
  });

  it("ours and not bound is surplus, never a record", () => {
    const rules: CreateRules = {
      ...createRules,
      identify: (...given) => {
        const found = createRules.identify(...given);
        return found.kind === "surplus" ? { kind: "new", strippedToken: "t" } : found;
      },
    };
    expect(exploreCreates(rules, 2, 0).violation).toBe("a second record for our own resource");
  });

  it("the sweep keeps the bound resource, not the one of the lowest number", () => {
    const rules: CreateRules = {
      ...createRules,
      closes: ({ resources }, number) => {
        const ours = ({ author, open }: CreateWorld["resources"][number]) =>
          open && author === "us";
        const self = resources[number - 1];
        return self !== undefined && ours(self) && resources.findIndex(ours) + 1 !== number;
      },
    };
    expect(exploreCreates(rules, 2, 0).violation).not.toBeNull();
  });

  it("what may be ours waits while a create without a token is open", () => {
    const rules: CreateRules = { ...createRules, waits: () => false };
    expect(exploreCreates(rules, 0, 0, false).violation).not.toBeNull();
  });

  it("what another person wrote never waits for a create of ours", () => {
    const rules: CreateRules = {
      ...createRules,
      waits: (lane) => createRules.waits(lane, { author: null }),
    };
    expect(exploreCreates(rules, 1, 1, false).violation).toBe(
      "the record was paired with a person's copy",
    );
  });

  it("a lost create without a token is looked for by its content", () => {
    const rules: CreateRules = { ...createRules, finds: () => false };
    expect(exploreCreates(rules, 1, 0, false).violation).not.toBeNull();
  });
});
