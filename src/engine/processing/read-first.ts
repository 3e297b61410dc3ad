/**
 * Read before write: a request that overwrites something leaves only after a read that began since this
 * worker took the event, and whose news is merged. Without it an edit at the resource that nobody has
 * read disappears without a word: webhooks get lost, and polls see it a minute late (situation 56).
 *
 * 1. The read is conditional where the lane keeps a validator of what it knows; unchanged, it shows nothing
 *    new and nothing is merged.
 * 2. What our own request's answer has shown may stand for a read for a moment: `readFreshness` (default: 0),
 *    counted from when that request left. A webhook or a list says what the resource was, not what it is.
 * 3. An edit that lands between this read and our request can still be lost: the round trip of one request.
 */
import { type Content, sameValue } from "../../model/content.ts";
import type { Conflict, TandemEvent } from "../../model/event.ts";
import { addMillis } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { type Context, lastWrites, liveEvents, postpone } from "../lane/index.ts";

/** Whether the resource must be read before a write of ours may leave. */
export function mustReadFirst({ lastSent }: Lane, { now, readFreshness }: Context): boolean {
  if (lastSent?.settledAt === undefined) return true;
  return addMillis(lastSent.sentAt, readFreshness) <= now;
}

/** A write gives way to news that came while it was reading: it is merged first. `null`: there is none. */
export function awaitNews(
  start: Transition,
  event: TandemEvent,
  { now }: Context,
): Transition | null {
  if (liveEvents(start.lane, "queued", "inbound").length === 0) return null;
  return postpone(start, event, now, {
    reason: "reread_needed",
    runAt: now,
  });
}

/** With what a read may be answered "unchanged": a validator of what the lane has merged last. */
export function validatorOf({ known }: Lane): string | null {
  if (known === null || known.lost || known.doubted === true || known.baseFrom !== undefined) {
    return null;
  }
  return known.validator ?? null;
}

/**
 * Conflicts to record where a resource is about to be deleted for its record, or closed: what it says, and
 * the record never had, goes with it. `closing`: what is set instead.
 */
export function deletedUnread(
  lane: Lane,
  content: Content,
  closing: Content | null,
): readonly Conflict[] {
  const said = [lane.base ?? {}, ...lastWrites(lane).map(({ values }) => values), closing ?? {}];
  return Object.entries(content).flatMap(([field, lost]): Conflict[] => {
    if (said.some((values) => sameValue(values[field], lost))) return [];
    const kept = closing?.[field] ?? null;
    return [{ field, winner: "record", kept, lost, why: "record_deleted" }];
  });
}
