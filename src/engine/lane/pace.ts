/**
 * How often Tandem writes a record that is edited repeatedly to its resource.
 *
 * 1. The first edit is sent immediately; the edits within the pause after it are sent as one request at its end.
 * 2. A write reads the record when it begins, so one request carries the result of many edits.
 * 3. Inbound events and deletions never wait for the pause.
 */
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Context } from "./context.ts";
import { liveEvents, move } from "./transition.ts";

/** The earliest time at which an upsert that is queued now may be sent. */
export function nextWriteAt({ lastSent }: Lane, { now, writePause }: Context): Instant {
  if (lastSent === null) return now;
  const paused = addMillis(lastSent.sentAt, writePause);
  return paused > now ? paused : now;
}

/** Delays an upsert that was queued while a write was on its way, like upserts that are queued after it. */
export function paceWaiting(start: Transition, context: Context): Transition {
  const runAt = nextWriteAt(start.lane, context);
  return liveEvents(start.lane, "queued", "outbound")
    .filter((event) => event.action === "upsert" && event.runAt < runAt)
    .reduce((paced, event) => move(paced, event.id, "queued", context.now, { runAt }), start);
}
