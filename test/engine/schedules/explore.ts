/** Walks through every schedule of a small world, or a random one of a larger one. */
import { type EventState, isLegalMove, type TandemEvent } from "../../../src/model/event.ts";
import { sameValue } from "../../../src/model/content.ts";
import type { Random } from "../../../src/model/clock.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { endedSide } from "../../../src/model/tombstone.ts";
import type { Engine } from "./engine-under-test.ts";
import { worldOf } from "./world.ts";
import type { Step } from "./world-facts.ts";
import {
  fingerprint,
  firstWorld,
  isQuiet,
  type Options,
  values,
  type World,
} from "./world-state.ts";

export interface Exploration {
  readonly worlds: number;
  readonly ends: number;
  readonly violation: string | null;
  /** The schedule that leads to the violation. */
  readonly trail: readonly string[];
  /** Whether every schedule was walked. */
  readonly complete: boolean;
}

export interface Node {
  readonly world: World;
  readonly name: string;
  readonly parent: Node | null;
}

/** Depth first through every schedule; the same world is never entered twice. */
export function explore(
  engine: Engine,
  options: Options,
  most = 2_000_000,
  first = firstWorld(options),
): Exploration {
  const moves = worldOf(engine, options);
  const met = new Set<number>([fingerprint(first)]);
  const stack: Node[] = [{ world: first, name: "start", parent: null }];
  let ends = 0;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { world: current } = node;
    const outcome = attempt(() => moves(current));
    const violation =
      outcome.error ?? violationOf(current, outcome.steps.length === 0, options, node.parent);
    if (violation !== null) {
      return { worlds: met.size, ends, violation, trail: trailOf(node), complete: false };
    }
    if (outcome.steps.length === 0) ends += 1;
    for (const { name, world } of outcome.steps) {
      const key = fingerprint(world);
      if (met.has(key)) continue;
      met.add(key);
      stack.push({ world, name, parent: node });
    }
    if (met.size > most)
      return { worlds: met.size, ends, violation: null, trail: [], complete: false };
  }
  return { worlds: met.size, ends, violation: null, trail: [], complete: true };
}

/** One random schedule to its end. */
export function walk(engine: Engine, options: Options, random: Random): Exploration {
  const moves = worldOf(engine, options);
  let node: Node = { world: firstWorld(options), name: "start", parent: null };
  for (let worlds = 1; worlds < 2_000; worlds += 1) {
    const { world, parent } = node;
    const outcome = attempt(() => moves(world));
    const violation =
      outcome.error ?? violationOf(world, outcome.steps.length === 0, options, parent);
    if (violation !== null) {
      return { worlds, ends: 0, violation, trail: trailOf(node), complete: false };
    }
    const step = anyOf(outcome.steps, random);
    if (step === undefined) return { worlds, ends: 1, violation: null, trail: [], complete: true };
    node = { world: step.world, name: step.name, parent: node };
  }
  return {
    worlds: 2_000,
    ends: 0,
    violation: "it goes on for ever",
    trail: trailOf(node),
    complete: false,
  };
}

/** Any of the moves; the end of the faults is put off, so that much happens before. */
function anyOf(steps: readonly Step[], random: Random): Step | undefined {
  const lively = steps.filter(({ name }) => name !== "faults stop");
  const from = lively.length > 0 && random() < 0.995 ? lively : steps;
  return from[Math.floor(random() * from.length)];
}

function attempt(list: () => Step[]): { readonly steps: Step[]; readonly error: string | null } {
  try {
    return { steps: list(), error: null };
  } catch (thrown) {
    return { steps: [], error: `a decision threw: ${String(thrown)}` };
  }
}

/** The condition that a world violates, or `null`. */
export function violationOf(
  world: World,
  isEnd: boolean,
  options: Options,
  parent: Node | null,
): string | null {
  const illegal = illegalMoves(parent?.world.lane ?? null, world.lane);
  if (illegal !== null) return illegal;
  if (parent?.world.record === null && world.record !== null && !world.recreated) {
    return "a deleted record came back";
  }
  if (world.calmRequests > 4) return "it goes on writing after the faults stopped";
  const last = options.sweep === true ? "swept" : "polled";
  const over = world.phase === last && isQuiet(world);
  if (!over) return isEnd ? "stuck" : null;
  return divergence(world) ?? lostEdit(world, options);
}

function divergence({ record, resource, lane, detached }: World): string | null {
  if (!resource.exists) {
    return record === null || detached ? null : "the record outlives its resource";
  }
  if (record === null) return "the resource outlives its record";
  // A 404 is an error that stays until somebody restarts it, or a sweep confirms it.
  if (lane.live.some(({ state, error }) => state === "errored" && error?.retryable === false)) {
    return null;
  }
  for (const field of Object.keys(record)) {
    const said = [record[field], lane.copy?.[field], lane.base?.[field], resource.content[field]];
    if (said.every((value) => sameValue(value, said[0]))) continue;
    return `diverged in ${field}: record, copy, base, resource say ${JSON.stringify(said)}`;
  }
  return null;
}

function lostEdit({ watched, record }: World, options: Options): string | null {
  const alone = (options.budget?.remoteEdits ?? 0) === 0 && record !== null;
  for (const [field, seen] of Object.entries(watched)) {
    if (options.watch === "local edits" && alone && !sameValue(record[field], seen.local)) {
      return `local edit ${field}=${seen.local} lost, though nobody else edits`;
    }
    if (seen.conflict) continue;
    const lostLocally = seen.localPending && !sameValue(record?.[field], seen.local);
    if (options.watch === "local edits" && lostLocally) {
      return `local edit ${field}=${seen.local} lost without a word`;
    }
    const lostRemotely = seen.remotePending && !sameValue(record?.[field], seen.remote);
    if (options.watch === "remote edits" && lostRemotely) {
      return `remote edit ${field}=${seen.remote} lost without a word`;
    }
  }
  return null;
}

function illegalMoves(before: Lane | null, after: Lane): string | null {
  const count = (list: readonly TandemEvent[], state: EventState, direction?: string) =>
    list.filter((e) => e.state === state && (direction ?? e.direction) === e.direction).length;
  for (const direction of ["inbound", "outbound"]) {
    if (count(after.live, "queued", direction) > 1) return `two queued ${direction} events`;
  }
  if (count(after.live, "processing") > 1) return "two events processing";
  for (const event of before?.live ?? []) {
    const now = after.live.find((other) => other.id === event.id);
    if (now !== undefined && now.state !== event.state && !isReachable(event.state, now.state)) {
      return `an event went from ${event.state} to ${now.state}`;
    }
  }
  return null;
}

/** One move may take an event through several states; each must be legal. */
function isReachable(from: EventState, to: EventState): boolean {
  return (
    isLegalMove(from, to) ||
    (["queued", "processing", "errored"] as const).some(
      (by) => isLegalMove(from, by) && isLegalMove(by, to),
    )
  );
}

function trailOf(node: Node): readonly string[] {
  const lines: string[] = [];
  for (let at: Node | null = node; at !== null; at = at.parent) lines.push(describe(at));
  return lines.reverse();
}

function describe({ name, world }: Node): string {
  const { resource, lane, record } = world;
  const live = lane.live
    .map(
      (e) =>
        `${e.direction[0] ?? ""}${e.action[0] ?? ""}:${e.state}${e.reread ? "!" : ""}[${values(e.content)}]`,
    )
    .join(" ");
  const resourceText = resource.exists ? `${values(resource.content)}@${resource.at}` : "gone";
  return (
    `${name.padEnd(24)} tick ${world.tick} resource ${resourceText} record ${values(record)}` +
    ` base ${values(lane.base)} known ${values(lane.known?.content ?? null)}` +
    (lane.attempt === null ? "" : ` attempt ${values(lane.attempt.values)}`) +
    (lane.tombstone === null ? "" : ` tombstone(${endedSide(lane.tombstone)})`) +
    ` ${live}`
  );
}
