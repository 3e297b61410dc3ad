/** How the end of a record is carried out at its resource: the read before it, the request, and its answer. */
import { type Content, pick, sameValue } from "../../model/content.ts";
import type { Conflict, TandemEvent } from "../../model/event.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { mappedFields, type Mapping } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import { type RecordMove, recordMoveOf } from "../../model/tombstone.ts";
import {
  changesSent,
  type Context,
  lastWrites,
  observe,
  missedAtMove,
  move,
  removalReason,
  replacedAfterEnd,
  resourceGone,
  withConflicts,
  withLane,
} from "../lane/index.ts";
import { observedState } from "../merge/index.ts";

/**
 * Takes in the read before a deletion or a closing: replaced values that the record never had become conflicts.
 * A closing replaces only the closed state. Other fields can still be read there if the app restores the record.
 */
export function concludeRemovalLook(
  start: Transition,
  event: TandemEvent,
  seen: Observation,
  context: Context,
): Transition {
  const { lane } = start;
  const { content, at, validator } = observedState(lane, seen, "reread", context);
  const closes = removalOf(lane, context.mapping) === "close";
  const closing = closes ? closingValues(context.mapping) : null;
  const replaced = closing === null ? content : pick(content, Object.keys(closing));
  const learned =
    closing === null
      ? observe(start, { content, at, event: event.id, validator }, context.now)
      : start;
  const missed =
    recordMoveOf(lane.tombstone) === null
      ? deletedUnread(lane, replaced, closing)
      : missedAtMove(lane, replaced, event.id, at);
  return move(learned, event.id, "processing", context.now, {
    conflicts: withConflicts(event, missed),
  });
}

/**
 * Conflicts to record before a resource is deleted or closed with its record: values that the record never had are
 * lost. `closing`: the values that are set instead.
 */
function deletedUnread(lane: Lane, content: Content, closing: Content | null): readonly Conflict[] {
  const said = [lane.base ?? {}, ...lastWrites(lane).map(({ values }) => values), closing ?? {}];
  return Object.entries(content).flatMap(([field, lost]): Conflict[] => {
    if (said.some((values) => sameValue(values[field], lost))) return [];
    const kept = closing?.[field] ?? null;
    return [{ field, winner: "record", kept, lost, why: "record_deleted" }];
  });
}

/**
 * Ends an outbound delete that was carried out, or had nothing left to do.
 *
 * @param answer The answer to a closing: base takes the values that we set, so that a restored record is compared
 *   with them; a later read merges the rest. `gone`: the resource was deleted before. `not_found` does not tell
 *   whether it exists, so the sweep may remove it once more.
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
  const { content, at, copy } = observedState(start.lane, answer, "answer", context);
  const set = pick(content, Object.keys(attempt.values));
  const { lane, ended } = observe(settled, { content, at, event: event.id }, context.now);
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

/** The removal of the resource of a lane whose record is deleted or moved, among those that the adapter supports. */
export function removalOf(
  { tombstone }: Pick<Lane, "tombstone">,
  mapping: Mapping,
): Mapping["onRecordDeleted"] {
  return removalAfter(recordMoveOf(tombstone), mapping);
}

/** The removal that follows a move of the record, or its deletion (`null`). */
export function removalAfter(
  move: RecordMove | null,
  { onRecordDeleted, resource }: Mapping,
): Mapping["onRecordDeleted"] {
  // Comments stay below the resource on which they were written.
  if (move === "with_parent") return "detach";
  if (onRecordDeleted === "detach" || resource.removal.includes(onRecordDeleted)) {
    return onRecordDeleted;
  }
  return resource.removal[0] ?? "close";
}

/** The values that closing a resource sets in mapped fields. */
export function closingValues(mapping: Mapping): Content {
  return pick(mapping.resource.closedBy, mappedFields(mapping));
}
