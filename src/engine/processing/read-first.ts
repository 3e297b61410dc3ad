/**
 * Read before write: a request that overwrites something is sent only after a read that began since this worker
 * claimed the event, and after the read was merged. Without it an unread edit of the resource would be lost without
 * a record: webhooks get lost, and polls see the edit a minute late (situation 56).
 *
 * 1. The read is conditional if the lane keeps a validator. An unchanged resource needs no merge.
 * 2. The answer to our own request may replace a read for `readFreshness` (default: 0), counted from the sending of
 *    that request. A webhook or a list cannot: it shows past content.
 * 3. An edit between this read and our request can still be lost: the round trip of one request.
 */
import { type Content, sameValue } from "../../model/content.ts";
import type { Conflict, TandemEvent } from "../../model/event.ts";
import { addMillis } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { type Context, lastWrites, liveEvents, postpone } from "../lane/index.ts";

/** Whether the resource must be read before a write of ours may be sent. */
export function mustReadFirst({ lastSent }: Lane, { now, readFreshness }: Context): boolean {
  if (lastSent?.settledAt === undefined) return true;
  return addMillis(lastSent.sentAt, readFreshness) <= now;
}

/** Postpones a write until inbound events that arrived during its read are merged; `null` if there are none. */
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

/** The validator of a conditional read. It must be of merged content: "unchanged" would skip a merge otherwise. */
export function validatorOf({ known }: Lane): string | null {
  if (known === null || known.lost || known.doubted === true || known.baseFrom !== undefined) {
    return null;
  }
  return known.validator ?? null;
}

/**
 * Conflicts to record before a resource is deleted or closed with its record: values that the record never had are
 * lost. `closing`: the values that are set instead.
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
