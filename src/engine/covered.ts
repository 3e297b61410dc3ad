/**
 * A remote edit that our own write covered: made after we had read the resource and before our
 * request landed, it shows only in a webhook that is by now older than what the resource says.
 */
import { type Content, sameValue } from "../model/content.ts";
import type { Conflict, TandemEvent } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { Lane, Transition } from "../model/lane.ts";
import { move, withConflicts, withLane } from "./transition.ts";

/**
 * Conflicts to record for an event that ends unmerged. A field counts where the resource shows
 * what we sent, and the event showed neither that nor what was there before.
 *
 * @param shown What the resource shows by now; default: what is known of it.
 */
export function coveredByOurWrite(
  { lastSent, known }: Lane,
  content: Content,
  at: Instant,
  shown: Content | null = known?.content ?? null,
): readonly Conflict[] {
  if (lastSent?.kind !== "patch" || shown === null) return [];
  if (lastSent.clockAt !== null && at < lastSent.clockAt) return [];
  return Object.entries(lastSent.values).flatMap(([field, sent]): Conflict[] => {
    const seen = content[field];
    if (seen === undefined || !sameValue(shown[field], sent)) return [];
    if (sameValue(seen, sent) || sameValue(seen, lastSent.base[field])) return [];
    return [{ field, winner: "record", kept: sent, lost: seen, why: "covered_by_our_write" }];
  });
}

/** Cancels an event for a newer one, noting what the newer does not show any more. */
export function supersede(
  start: Transition,
  event: TandemEvent,
  newer: TandemEvent,
  now: Instant,
): Transition {
  const { content, updatedAt } = event;
  const covered =
    content === null || updatedAt === null || newer.content === null
      ? []
      : coveredByOurWrite(start.lane, content, updatedAt, newer.content);
  const canceled = move(start, event.id, "canceled", now, {
    reason: "superseded",
    canceledBy: newer.id,
    conflicts: withConflicts(event, covered),
  });
  const { known } = start.lane;
  // What it bore is merged by nobody now; a newer event that has content will bear its own.
  return known?.event === event.id
    ? withLane(canceled, { known: { ...known, lost: true } })
    : canceled;
}
