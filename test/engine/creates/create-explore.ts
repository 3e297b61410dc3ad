/** Walks through every schedule of the small world of one create. */
import { createFingerprint, createViolation, type CreateWorld } from "./create-state.ts";
import { createMoves, type CreateRules } from "./create-world.ts";

interface Node {
  readonly world: CreateWorld;
  readonly trail: readonly string[];
}

export function exploreCreates(rules: CreateRules, first: CreateWorld) {
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
