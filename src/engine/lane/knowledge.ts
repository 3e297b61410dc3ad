/**
 * Learning: an answer or a re-read moves what the lane knows, and ends inbound events that are
 * older than itself; those of its own time must look again. `contentOf` says what an observation shows.
 */
import { canonical, type Content, digest, pick, seenOver } from "../../model/content.ts";
import type { EventId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { mappedFields } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import type { Context } from "./context.ts";
import { coveredByOurWrite } from "./sent-writes.ts";
import { liveEvents, move, withConflicts, withLane } from "./transition.ts";
import { isOlderUnread, versionsBefore } from "./versions.ts";

/** A look at the resource that is no event of its own: the event that made it bears it. */
export interface Look {
  readonly content: Content;
  readonly at: Instant;
  readonly event: EventId;
  /** Of a read that began when no read lagged behind what is known: it counts though its time is older. */
  readonly verified?: boolean;
  /** Of a read or an answer: with what a later read may be answered "unchanged". */
  readonly validator?: string | undefined;
}

/** What was seen last is what is known. Who brought what base says is kept until this is merged. */
export function hear(start: Transition, look: Look, said: string): Transition {
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

/** Takes a look into what is known, unless something later is known already. */
export function learn(start: Transition, look: Look, now: Instant): Transition {
  const { clock } = start.lane;
  if (clock !== null && look.at < clock.at && look.verified !== true) return start;
  const learned = hear(start, look, digest(look.content));
  return liveEvents(learned.lane, "queued", "inbound").reduce((transition, event) => {
    if (event.action === "delete" || event.updatedAt === null) return transition;
    // One that a move is to be followed by is not made up for by a look at the resource alone.
    const isOwed = learned.lane.moved !== null && event.updatedAt < look.at;
    if (event.updatedAt === look.at || isOwed) {
      return move(transition, event.id, "queued", now, { reread: true, reason: "reread_needed" });
    }
    // The look may be of before what such a one said: it waits for a read of its own.
    if (event.updatedAt > look.at || isOlderUnread(start.lane, event)) return transition;
    return move(transition, event.id, "canceled", now, {
      reason: "read_again",
      canceledBy: look.event,
      conflicts: withConflicts(
        event,
        coveredByOurWrite(learned.lane, event.content ?? {}, event.updatedAt),
      ),
    });
  }, learned);
}

/** The mapped content of an observation; what it did not see is taken from what is known. */
export function contentOf(lane: Lane, observation: Observation, context: Context): Content | null {
  const { content, action } = observation;
  if (action === "delete" || content === null) return null;
  const seen = pick(
    canonical(content, context.mapping.resource.fields),
    mappedFields(context.mapping),
  );
  return seenOver(lane.known?.content ?? lane.base, seen);
}
