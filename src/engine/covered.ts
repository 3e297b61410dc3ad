/**
 * A remote edit that our own write covered: made after we had read the resource and before our
 * request landed, it shows only in a webhook that is by now older than what the resource says.
 */
import { type Content, sameValue } from "../model/content.ts";
import type { Conflict } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { Lane } from "../model/lane.ts";

/**
 * Conflicts to record for an event that ends unmerged. A field counts where the resource shows
 * what we sent, and the event showed neither that nor what was there before.
 */
export function coveredByOurWrite(lane: Lane, content: Content, at: Instant): readonly Conflict[] {
  const { lastSent, known } = lane;
  if (lastSent?.kind !== "patch" || known === null) return [];
  if (lastSent.clockAt !== null && at < lastSent.clockAt) return [];
  return Object.entries(lastSent.values).flatMap(([field, sent]): Conflict[] => {
    const seen = content[field];
    if (seen === undefined || !sameValue(known.content[field], sent)) return [];
    if (sameValue(seen, sent) || sameValue(seen, lastSent.base[field])) return [];
    return [{ field, winner: "record", kept: sent, lost: seen, why: "covered_by_our_write" }];
  });
}
