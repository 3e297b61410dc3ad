/**
 * A model's schedule, run against the engine. The others' steps happen as in the model, as far as the engine lets
 * them. A step of the worker that the engine has no reason for is left out. All schedules after the last step are
 * explored to their end.
 */
import { explore, violationOf } from "../engine/schedules/explore.ts";
import type { Engine } from "../engine/schedules/engine-under-test.ts";
import { exploreCreates } from "../engine/creates/create-explore.ts";
import type { CreateWorld } from "../engine/creates/create-state.ts";
import { createMoves, type CreateRules } from "../engine/creates/create-world.ts";
import { worldOf } from "../engine/schedules/world.ts";
import { firstWorld, type Options, type World } from "../engine/schedules/world-state.ts";

export interface Replay {
  /** The violation on the way or after it, or `null`. */
  readonly violation: string | null;
  /** Steps of the schedule that there was no occasion for. */
  readonly leftOut: readonly string[];
}

export function replay(engine: Engine, options: Options, steps: readonly string[]): Replay {
  const moves = worldOf(engine, options);
  const leftOut: string[] = [];
  let world: World = firstWorld(options);
  for (const step of steps) {
    const next = moves(world).find(({ name }) => name === step);
    if (next === undefined) {
      leftOut.push(step);
      continue;
    }
    const wrong = violationOf(next.world, false, options, { world, name: step, parent: null });
    if (wrong !== null) return { violation: `${step}: ${wrong}`, leftOut };
    world = next.world;
  }
  const { violation, trail } = explore(engine, options, 200_000, world);
  return { violation: violation === null ? null : [violation, ...trail].join("\n"), leftOut };
}

/** The same in the world of one create. */
export function replayCreate(
  rules: CreateRules,
  first: CreateWorld,
  steps: readonly string[],
): Replay {
  const leftOut: string[] = [];
  let world = first;
  for (const step of steps) {
    const next = createMoves(world, rules).find(({ name }) => name === step);
    if (next === undefined) leftOut.push(step);
    else world = next.world;
  }
  const { violation, trail } = exploreCreates(rules, world);
  return { violation: violation === null ? null : [violation, ...trail].join("\n"), leftOut };
}
