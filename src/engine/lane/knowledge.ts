/**
 * How an answer or a re-read updates the lane's knowledge of its resource. It cancels inbound events that are
 * older than itself; events of its own time must re-read. `contentOf` extracts an observation's mapped content.
 */
import { canonical, type Content, digest, pick, seenOver } from "../../model/content.ts";
import type { EventId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { mappedFields } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import type { Context } from "./context.ts";
import { findOverwrittenEdits } from "./sent-writes.ts";
import { liveEvents, move, withConflicts, withLane } from "./transition.ts";
import { isOlderUnread, versionsBefore } from "./versions.ts";

/** The content that a read or an answer showed. It is no event of its own: the event that asked carries it. */
export interface Look {
  readonly content: Content;
  readonly at: Instant;
  readonly event: EventId;
  /** Set for a read that began too late to be a stale read: it counts although its time is older. */
  readonly verified?: boolean;
  /** The validator with which a later conditional read may be answered "unchanged". */
  readonly validator?: string | undefined;
}

/** Sets the lane's known content and clock. `baseFrom` keeps the event behind base until this content is merged. */
export function setKnown(start: Transition, look: Look, said: string): Transition {
  const { content, at, event, validator } = look;
  const { base, known: before } = start.lane;
  const baseFrom = base === null ? undefined : (before?.baseFrom ?? before?.event);
  const past = versionsBefore(before);
  const seen = {
    ...{ content, digest: said, at, event, lost: false },
    ...(past.length === 0 ? {} : { before: past }),
    ...(validator === undefined ? {} : { validator }),
  };
  const known = baseFrom === undefined ? seen : { ...seen, baseFrom };
  return withLane(start, { known, clock: { at, event } });
}

/** Sets the known content to what a read or an answer showed, unless something later is known already. */
export function observe(start: Transition, look: Look, now: Instant): Transition {
  const { clock } = start.lane;
  if (clock !== null && look.at < clock.at && look.verified !== true) return start;
  const learned = setKnown(start, look, digest(look.content));
  return liveEvents(learned.lane, "queued", "inbound").reduce((transition, event) => {
    if (event.action === "delete" || event.updatedAt === null) return transition;
    // An event that must make the record follow a move is still needed after the resource was read.
    const isOwed = learned.lane.moved !== null && event.updatedAt < look.at;
    if (event.updatedAt === look.at || isOwed) {
      return move(transition, event.id, "queued", now, { reread: true, reason: "reread_needed" });
    }
    // The read may be older than the content of such an event, so the event keeps waiting for a read of its own.
    if (event.updatedAt > look.at || isOlderUnread(start.lane, event)) return transition;
    return move(transition, event.id, "canceled", now, {
      reason: "read_again",
      canceledBy: look.event,
      conflicts: withConflicts(
        event,
        findOverwrittenEdits(learned.lane, event.content ?? {}, event.updatedAt),
      ),
    });
  }, learned);
}

/** The mapped content of an observation. Fields that it does not show are filled from the known content. */
export function contentOf(lane: Lane, observation: Observation, context: Context): Content | null {
  const { content, action } = observation;
  if (action === "delete" || content === null) return null;
  const seen = pick(
    canonical(content, context.mapping.resource.fields),
    mappedFields(context.mapping),
  );
  return seenOver(lane.known?.content ?? lane.base, seen);
}
