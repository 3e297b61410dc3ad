/**
 * Reads lag behind what a provider has said already, by seconds at most times. One of an earlier second
 * than is known is refused; one of the same second does not tell by its time what it was before.
 */
import { type Json, sameValue } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { type Context, hasTaken, lastWrites, ownTime, postpone } from "../lane/index.ts";
import type { Sight } from "./merge.ts";

/** How far lists and reads may lag behind what a provider has said already. */
export const READS_LAG_MS = 30_000;

/**
 * Whether a read may find nothing only because it lags: the resource was heard of moments ago, by
 * the provider's own clock. A later look tells.
 */
export function isTooYoungToMiss({ clock }: Lane, context: Context): boolean {
  return clock !== null && readableAt(clock.at, context) > context.now;
}

/**
 * Whether a read is older than what is known, perhaps only because it lags. Where it began when nothing lagged
 * behind that any more, the provider's clock has stepped back, and the read counts.
 *
 * @param from When the read began.
 */
export function mayLag(lane: Lane, at: Instant, from: Instant, context: Context): boolean {
  const { clock } = lane;
  return clock !== null && at < clock.at && isTooYoungToMiss(lane, { ...context, now: from });
}

/**
 * Whether a read that does not show what its event said may be of before it: both are of one second.
 * It is merged, for it may as well be of after it; but no write of ours covers what the event said
 * until a later look has told.
 */
export function mayBeOfBefore(
  { content, updatedAt }: TandemEvent,
  sight: Sight,
  lane: Lane,
  context: Context,
): boolean {
  return (
    sight.from === "reread" &&
    updatedAt === sight.at &&
    isTooYoungToMiss(lane, context) &&
    Object.entries(content ?? {}).some(
      ([field, said]) =>
        !sameValue(said, sight.content[field]) &&
        !isOfBeforeOurs(lane, field, said, sight.content[field]),
    )
  );
}

/** Whether an event said of a field what was there before our write, which the read shows. */
function isOfBeforeOurs(lane: Lane, field: string, said: Json, shown: Json | undefined): boolean {
  return lastWrites(lane).some(
    ({ values, base }) =>
      values[field] !== undefined &&
      hasTaken(shown, base[field], values[field]) &&
      sameValue(base[field], said),
  );
}

/** Whether news of the resource was not read: a write would cover what nobody has seen. */
export function isUnread({ live, known }: Lane): boolean {
  return (
    known?.doubted === true ||
    live.some(
      ({ direction, action, state, error }) =>
        direction === "inbound" &&
        action === "upsert" &&
        state === "errored" &&
        error !== null &&
        error.httpStatus !== null,
    )
  );
}

/** A write that has to look waits until a look shows what it looks for; `null`: it does by now. */
export function awaitReads(
  start: Transition,
  event: TandemEvent,
  context: Context,
): Transition | null {
  const { clock, known } = start.lane;
  if (clock === null || known?.doubted !== true || !isTooYoungToMiss(start.lane, context))
    return null;
  return postpone(start, event, context.now, {
    reason: "reread_needed",
    runAt: readableAt(clock.at, context),
  });
}

/** When no read lags behind what was said then, by our clock. */
function readableAt(at: Instant, { clockOffset }: Context): Instant {
  return addMillis(ownTime(at, clockOffset), READS_LAG_MS);
}
