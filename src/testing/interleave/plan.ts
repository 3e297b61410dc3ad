/**
 * The plan of an interleaved history, drawn before it runs: the steps of each actor, and the statements before
 * which an actor pauses. Both depend on the seed and their own position only, so leaving one out does not change
 * the others.
 */
import type { Random } from "../../model/clock.ts";
import { seededRandom } from "../random.ts";
import { chanceAt } from "../simulation/chance.ts";

/** The kinds of steps, each with its description for people. */
export const STEP_KINDS = {
  add: "a task is added before the schedule starts",
  settle: "added tasks are paired before the schedule starts",
  write: "a person of the app writes in a transaction",
  remote: "a person at GitHub writes, and the webhooks are received",
  drain: "drains captured writes",
  claim: "claims due events and processes them",
  translate: "translates webhooks",
  local_sweep: "sweeps the records of a connection",
  id_sweep: "sweeps the resources of a connection by their ids",
  poll: "polls a connection",
  backfill: "starts or resumes a backfill of a connection",
} as const;
export type StepKind = keyof typeof STEP_KINDS;

export interface InterleavedStep {
  /** Counted from 1. */
  readonly id: number;
  readonly actor: string;
  readonly kind: StepKind;
  /** The random numbers of this step, which do not depend on other steps. */
  readonly random: () => Random;
}

/** A statement: the n-th of a step. */
export interface StatementPosition {
  readonly step: number;
  readonly nth: number;
}

/** `3` keeps step 3, and `3.7` the pause before its seventh statement. */
export type Part = string;

export interface Interleaving {
  readonly steps: readonly InterleavedStep[];
  /** Whether the actor pauses before this statement, until all others have ended or pause as well. */
  readonly pauses: (place: StatementPosition) => boolean;
  /** The statement with the highest rank runs first, if several may run. */
  readonly rank: (place: StatementPosition) => number;
}

/** How often actors pause. A seed has one of these rates: few long overlaps, or many short ones. */
const PAUSES = [0.9, 0.5, 0.2, 0.06, 0.06];
/** The actor of the steps before the schedule. */
export const BEFORE = "before";
const WORKERS = ["ada", "bob", "cleo"];
const WORK: readonly (readonly [share: number, kind: StepKind])[] = [
  [0.42, "drain"],
  [0.31, "claim"],
  [0.11, "translate"],
  [0.04, "local_sweep"],
  [0.04, "poll"],
  [0.04, "id_sweep"],
  [0.04, "backfill"],
];

/** Draws a seed's history. @param only The steps and pauses to keep; `null`: all. */
export function planInterleaving(seed: number, only: readonly Part[] | null = null): Interleaving {
  const random = seededRandom(seed);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const drawn: { readonly actor: string; readonly kind: StepKind }[] = [];
  const add = (actor: string, times: number, kind: () => StepKind) => {
    for (let left = times; left > 0; left -= 1) drawn.push({ actor, kind: kind() });
  };
  add(BEFORE, upTo(2), () => "add");
  add(BEFORE, upTo(1), () => "settle");
  for (const name of WORKERS.slice(0, 2 + upTo(1))) add(name, 3 + upTo(4), () => workOf(random()));
  for (let writer = 1 + upTo(1); writer >= 1; writer -= 1) {
    add(`writer ${String(writer)}`, 1 + upTo(3), () => "write");
  }
  add("github", 1 + upTo(2), () => "remote");
  const often = PAUSES[Math.floor(random() * PAUSES.length)] ?? 0;
  const kept = only === null ? null : new Set(only);
  const steps = drawn.map(({ actor, kind }, index): InterleavedStep => {
    const id = index + 1;
    const ownSeed = Math.floor(chanceAt(seed, id) * 2 ** 32);
    return { id, actor, kind, random: () => seededRandom(ownSeed) };
  });
  return {
    steps: steps.filter(({ id }) => kept?.has(String(id)) ?? true),
    pauses: (place) =>
      kept?.has(nameOfPause(place)) ?? chanceAt(seed, place.step, place.nth, 1) < often,
    rank: ({ step, nth }) => chanceAt(seed, step, nth, 2),
  };
}

export function nameOfPause({ step, nth }: StatementPosition): Part {
  return `${String(step)}.${String(nth)}`;
}

function workOf(chance: number): StepKind {
  let ticket = chance;
  for (const [share, kind] of WORK) {
    ticket -= share;
    if (ticket < 0) return kind;
  }
  return "drain";
}
