/** What a history consists of, drawn before it is told, so that moves can be left out of it. */
import { seededRandom } from "../random.ts";
import type { WorldKind } from "./places.ts";

/** `answers`: all that is under way is answered; `network`: some of it goes on. */
export type MoveKind =
  | "edit"
  | "wait"
  | "trouble"
  | "poll"
  | "sweep"
  | "crash"
  | "land"
  | "tick"
  | "work"
  | "network"
  | "answers";

/** One thing that happens. What exactly, its own randomness decides: the same whatever came before. */
export interface Move {
  readonly id: number;
  readonly kind: MoveKind;
}

/** What goes wrong all the time, and can be switched off. */
export const FAULTS = [
  "drops",
  "doubles",
  "reordering",
  "delays",
  "errors",
  "lost-answers",
  "stale-reads",
  "clock-offset",
  "failpoints",
] as const;
export type Fault = (typeof FAULTS)[number];

const HAPPENINGS: readonly (readonly [share: number, kind: MoveKind])[] = [
  [0.45, "edit"],
  [0.05, "wait"],
  [0.08, "trouble"],
  [0.05, "poll"],
  [0.01, "sweep"],
  [0.03, "crash"],
  [0.03, "land"],
];

/** Without webhooks people edit more often between looks, and looks are polls. */
const WHILE_POLLING: readonly (readonly [share: number, kind: MoveKind])[] = [
  [0.55, "edit"],
  [0.05, "wait"],
  [0.05, "trouble"],
  [0.12, "poll"],
  [0.02, "sweep"],
  [0.02, "crash"],
  [0.02, "land"],
];
/** Requests are answered before anybody edits again, but for so many that are still under way. */
const STAYS_UNDER_WAY = 0.15;

/** Draws a history: in each step perhaps a happening, then perhaps time, work and the network. */
export function planHistory(
  seed: number,
  steps: number,
  world: WorldKind = "staying",
): readonly Move[] {
  const isPolling = world === "polling";
  const random = seededRandom(seed * 7919 + 13);
  const kinds: MoveKind[] = [];
  for (let step = 0; step < steps; step += 1) {
    let ticket = random();
    for (const [share, kind] of isPolling ? WHILE_POLLING : HAPPENINGS) {
      if (ticket >= 0 && ticket < share) kinds.push(kind);
      ticket -= share;
    }
    for (const kind of ["tick", "work", "network"] as const) if (random() < 0.7) kinds.push(kind);
    if (isPolling && random() >= STAYS_UNDER_WAY) kinds.push("answers");
  }
  return kinds.map((kind, index) => ({ id: index + 1, kind }));
}
