/**
 * Stale reads: a provider's reads may lag behind its webhooks, mostly by seconds. A read older than the known
 * content is refused. A read of the same second may be stale as well, and its time does not tell.
 */
import { type Json, sameValue } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import {
  type Context,
  hasTaken,
  lastWrites,
  ownTime,
  postpone,
  type Trust,
} from "../lane/index.ts";
import type { ObservedState } from "./merge.ts";

/** How far lists and reads may lag behind content that the provider has shown already. */
export const READS_LAG_MS = 30_000;

/**
 * Whether a read may miss the resource only because it is stale: the resource's latest time, by the provider's
 * own clock, is moments ago. A later read tells.
 */
export function isTooYoungToMiss({ clock }: Lane, context: Context): boolean {
  return clock !== null && readableAt(clock.at, context) > context.now;
}

/**
 * Whether a read is older than the known content, and may be stale. A read that began after the lag cannot be:
 * the provider's clock has stepped back, and the read counts.
 *
 * @param from When the read began.
 */
export function mayLag(lane: Lane, at: Instant, from: Instant, context: Context): boolean {
  const { clock } = lane;
  return clock !== null && at < clock.at && isTooYoungToMiss(lane, { ...context, now: from });
}

/**
 * Whether a read that does not show its event's content may be older than the event: both have the same time. The
 * read is merged, because it may as well be newer. No write of ours may overwrite the event's content until a
 * later read has told.
 */
export function mayBeOfBefore(
  { content, updatedAt }: TandemEvent,
  observed: ObservedState,
  lane: Lane,
  context: Context,
): boolean {
  return (
    observed.from === "reread" &&
    updatedAt === observed.at &&
    isTooYoungToMiss(lane, context) &&
    Object.entries(content ?? {}).some(
      ([field, said]) =>
        !sameValue(said, observed.content[field]) &&
        !isOfBeforeOurs(lane, field, said, observed.content[field]),
    )
  );
}

/** Whether an event's value of a field is the one before our write, and the read shows our write. */
function isOfBeforeOurs(lane: Lane, field: string, said: Json, shown: Json | undefined): boolean {
  return lastWrites(lane).some(
    ({ values, base }) =>
      values[field] !== undefined &&
      hasTaken(shown, base[field], values[field]) &&
      sameValue(base[field], said),
  );
}

/** Postpones a write until a read can no longer be stale; `null` if the read may proceed now. */
export function awaitReads(
  start: Transition,
  event: TandemEvent,
  answer: Trust,
  context: Context,
): Transition | null {
  if (answer.kind !== "wait" || answer.why !== "read_may_be_older") return null;
  const runAt = readableAt(answer.than, context);
  if (runAt <= context.now) return null;
  return postpone(start, event, context.now, { reason: "reread_needed", runAt });
}

/** The time by our clock from which a read shows everything up to `at`. */
function readableAt(at: Instant, { clockOffset }: Context): Instant {
  return addMillis(ownTime(at, clockOffset), READS_LAG_MS);
}
