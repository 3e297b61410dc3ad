/** How an outbound deletion ends: what is read before it, and what its request is answered. */
import { pick } from "../model/content.ts";
import type { TandemEvent } from "../model/event.ts";
import type { Transition } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";
import type { Context } from "./context.ts";
import { replacedAfterEnd } from "./covered.ts";
import { learn } from "./learn.ts";
import { sightOf } from "./merge.ts";
import { changesSent, closingValues } from "./outbound.ts";
import { deletedUnread } from "./read-first.ts";
import { missedAtMove, removalOf, removalReason } from "./record-move.ts";
import { resourceGone } from "./tombstone.ts";
import { move, withConflicts, withLane } from "./transition.ts";

/**
 * Takes the read before a deletion or a closing: what that replaces, and the record never had, is named.
 * After a closing the rest can still be read there, by whoever takes the record back.
 */
export function concludeRemovalLook(
  start: Transition,
  event: TandemEvent,
  seen: Observation,
  context: Context,
): Transition {
  const { lane } = start;
  const { content, at, validator } = sightOf(lane, seen, "reread", context);
  const closes = removalOf(lane, context.mapping) === "close";
  const closing = closes ? closingValues(context.mapping) : null;
  const replaced = closing === null ? content : pick(content, Object.keys(closing));
  const learned =
    closing === null
      ? learn(start, { content, at, event: event.id, validator }, context.now)
      : start;
  const missed =
    lane.tombstone?.recordMoved === undefined
      ? deletedUnread(lane, replaced, closing)
      : missedAtMove(lane, replaced, event.id, at);
  return move(learned, event.id, "processing", context.now, {
    conflicts: withConflicts(event, missed),
  });
}

/**
 * Ends an outbound delete that was carried out, or had nothing left to do.
 *
 * @param answer What closing it answered: base takes what we set, so that a record that comes back
 *   is compared with it; the rest is for a later look. `gone` where the resource was deleted before;
 *   `not_found` does not tell, so that the sweep may remove it once more.
 */
export function concludeResourceRemoval(
  start: Transition,
  event: TandemEvent,
  answer: Observation | "gone" | "not_found" | null,
  context: Context,
): Transition {
  const { attempt, tombstone } = start.lane;
  const settled = withLane(start, {
    attempt: null,
    tombstone: answer === "gone" && tombstone !== null ? resourceGone(tombstone) : tombstone,
  });
  const end = (transition: Transition, details: Parameters<typeof move>[4]) =>
    move(transition, event.id, "completed", context.now, { ...details, error: null });
  if (answer === "not_found") {
    return end(withLane(settled, { lastSent: null }), { reason: "resource_not_found" });
  }
  const done = attempt?.kind === "close" ? "closed_resource" : "deleted_resource";
  const reason = removalReason(start.lane, done);
  if (attempt?.kind !== "close" || answer === null || answer === "gone") {
    return end(settled, { reason });
  }
  const { content, at, copy } = sightOf(start.lane, answer, "answer", context);
  const set = pick(content, Object.keys(attempt.values));
  const { lane, ended } = learn(settled, { content, at, event: event.id }, context.now);
  const closed = { base: { ...lane.base, ...set }, copy: { ...lane.copy, ...copy } };
  const missed = [
    ...missedAtMove(start.lane, content, event.id, at),
    ...replacedAfterEnd(start.lane, content, at),
  ];
  return end(withLane({ lane, ended }, closed), {
    reason,
    updatedAt: at,
    changes: [...event.changes, ...changesSent(attempt)],
    conflicts: withConflicts(event, missed),
  });
}
