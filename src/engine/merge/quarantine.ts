/**
 * Quarantine: two systems overwrite each other's value of a field without end. The pairing is switched off until
 * a person has looked at it, so that the loop costs neither requests nor history.
 *
 * 1. A lane remembers which side set each field, in turns. Two edits by one side are one turn, so a person who
 *    edits a field repeatedly causes no quarantine.
 * 2. A turn that restores a value which its side had set before is a flip.
 * 3. Many turns count as well, whatever their values: a system may make a text longer each time.
 */
import { type Content, digest, type Json, sameValue } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Flip, Lane, Transition } from "../../model/lane.ts";
import {
  type Context,
  liveEvents,
  move,
  type QuarantineLimits,
  requeue,
  withLane,
} from "../lane/index.ts";
import type { Plan } from "./plan.ts";

/** This many turns with any values count as much as one flip. */
const TURNS_PER_FLIP = 3;

/** Notes in the lane that a side has set fields. */
export function noteTurn(
  lane: Lane,
  side: Flip["side"],
  values: Content,
  { quarantine: limits, now }: Pick<Context, "quarantine" | "now">,
): Lane {
  const set = Object.entries(values);
  if (limits === null || set.length === 0) return lane;
  const flips: Record<string, readonly Flip[]> = {};
  for (const [field, turns] of Object.entries(lane.flips)) {
    const recent = recentOf(turns, limits, now);
    if (recent.length > 0) flips[field] = recent;
  }
  for (const [field, value] of set) {
    const recent = flips[field] ?? [];
    const others = recent.at(-1)?.side === side ? recent.slice(0, -1) : recent;
    const turn: Flip = { side, digest: digest({ value }), at: now };
    flips[field] = [...others, turn].slice(-turnsOf(limits) - 1);
  }
  return { ...lane, flips };
}

/** The values that a merge brought from the resource and that are no echo of ours. */
export function newsOf(lane: Lane, merged: Plan): Content {
  const { attempt, base } = lane;
  if (base === null) return {};
  const news: Record<string, Json> = {};
  for (const [field, value] of Object.entries(merged.base)) {
    const isMoved = !sameValue(value, base[field]) || merged.toRecord[field] !== undefined;
    if (isMoved && !sameValue(value, attempt?.values[field])) news[field] = value;
  }
  return news;
}

/** The first field that both sides overwrite too often, or `null`. */
export function contested(
  lane: Lane,
  { quarantine: limits, now }: Pick<Context, "quarantine" | "now">,
): string | null {
  if (limits === null) return null;
  for (const [field, turns] of Object.entries(lane.flips)) {
    const recent = recentOf(turns, limits, now);
    const back = recent.filter((turn, index) => isBack(turn, recent.slice(0, index)));
    if (back.length >= limits.flips || recent.length > turnsOf(limits)) return field;
  }
  return null;
}

/**
 * Switches a pairing off instead of sending the next write of the loop. When a person enables it again, the
 * resource is read before anything is sent.
 */
export function quarantine(
  start: Transition,
  event: TandemEvent,
  field: string,
  values: Content,
  context: Context,
): Transition {
  const { now, quarantine: limits } = context;
  const minutes = String(Math.round((limits?.withinMillis ?? 0) / 60_000));
  const mine = shown(values[field]);
  const theirs = shown(start.lane.base?.[field]);
  const why = `quarantined: ${field} went back and forth between ${mine} (the record's) and ${theirs} (the resource's) within ${minutes} minutes`;
  const back = requeue(start, event, now, {});
  return liveEvents(back.lane, "queued").reduce(
    (transition, { id, direction, reread }) =>
      move(transition, id, "disabled", now, {
        reason: "quarantined",
        reread: reread || direction === "outbound",
      }),
    withLane(back, { disabled: { cause: "quarantined", why } }),
  );
}

function isBack(turn: Flip, earlier: readonly Flip[]): boolean {
  return earlier.some(({ side, digest: value }) => side === turn.side && value === turn.digest);
}

function recentOf(
  turns: readonly Flip[],
  { withinMillis }: QuarantineLimits,
  now: Instant,
): readonly Flip[] {
  return turns.filter(({ at }) => addMillis(at, withinMillis) > now);
}

function turnsOf({ flips }: QuarantineLimits): number {
  return flips * TURNS_PER_FLIP;
}

/** A value, short enough for a sentence. */
function shown(value: Json | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
