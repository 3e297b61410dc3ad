/** The moves of a history, drawn before it runs, so that some can be left out. */
import { seededRandom } from "../random.ts";
import type { WorldKind } from "./world/index.ts";

/** `answers`: all pending requests are answered; `network`: some of them progress. */
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

/** One step of a history. Its own random numbers decide the details, so they do not depend on earlier moves. */
export interface Move {
  readonly id: number;
  readonly kind: MoveKind;
}

/** Faults that occur throughout a history, and can be switched off. */
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

/** Without webhooks, people make more edits between two polls. */
const WHILE_POLLING: readonly (readonly [share: number, kind: MoveKind])[] = [
  [0.55, "edit"],
  [0.05, "wait"],
  [0.05, "trouble"],
  [0.12, "poll"],
  [0.02, "sweep"],
  [0.02, "crash"],
  [0.02, "land"],
];
/** The share of edits that happen while requests are still pending; before the others all are answered. */
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
