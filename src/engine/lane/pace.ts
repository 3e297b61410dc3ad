/**
 * How often a record that is edited again and again is written to its resource.
 *
 * 1. The first edit leaves at once; those that follow it within the pause leave together, at its end.
 * 2. A write begins from the record as it is then, so that one call says what many edits came to.
 * 3. Nothing that comes in waits, and no deletion.
 */
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Context } from "./context.ts";
import { liveEvents, move } from "./transition.ts";

/** When an upsert that is born now may leave. */
export function nextWriteAt({ lastSent }: Lane, { now, writePause }: Context): Instant {
  if (lastSent === null) return now;
  const paused = addMillis(lastSent.sentAt, writePause);
  return paused > now ? paused : now;
}

/** Lets an upsert that came while a write was on its way wait like those that come after it. */
export function paceWaiting(start: Transition, context: Context): Transition {
  const runAt = nextWriteAt(start.lane, context);
  return liveEvents(start.lane, "queued", "outbound")
    .filter((event) => event.action === "upsert" && event.runAt < runAt)
    .reduce((paced, event) => move(paced, event.id, "queued", context.now, { runAt }), start);
}
