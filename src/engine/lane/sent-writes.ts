/**
 * Lost updates: remote edits that our own write overwrote. Such an edit was made after our read of the resource and
 * before our request took effect. Only its webhook shows it, and that is older than the resource's content by then.
 */
import { type Content, isStringArray, type Json, sameValue } from "../../model/content.ts";
import type { Conflict, FieldChange, TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Attempt, Intent, Lane, Transition } from "../../model/lane.ts";
import { isEndedByRecord, outlivesRecord } from "../../model/tombstone.ts";
import { withOurChanges } from "./sets.ts";
import { move, withConflicts, withLane } from "./transition.ts";
import { asksForRead } from "./trust.ts";

/** A webhook of an edit may arrive after this many later writes of ours. */
const WRITES_REMEMBERED = 4;
/** A request takes effect within this time, or never. A webhook may be late by as much. */
export const REMEMBER_MS = 10 * 60_000;

/**
 * Conflicts to record for an event that ends unmerged. A field is a lost update if all of these hold:
 *
 * 1. The event's time is between the clock at our write and the time at which that write was settled.
 * 2. The event's value is neither the value before our write nor a value that we sent.
 * 3. The resource no longer shows the event's value.
 *
 * @param shown The resource's present content; default: the known content.
 */
export function findOverwrittenEdits(
  lane: Lane,
  content: Content,
  at: Instant,
  shown: Content | null = lane.known?.content ?? null,
): readonly Conflict[] {
  const { lastSent, unanswered } = lane;
  if (lastSent === null || shown === null) return [];
  const writes = lastWrites(lane).filter(({ kind }) => kind === "patch");
  // A write whose effect a read did not show may have taken effect after that read, and overwritten what it saw.
  const late = unanswered.filter(({ kind }) => kind === "patch");
  const fields = new Set([...writes, ...late].flatMap(({ values }) => Object.keys(values)));
  return [...fields].flatMap((field): Conflict[] => {
    const seen = content[field];
    const ours = [...writes, ...late].flatMap((write) => {
      const said = write.values[field];
      return said === undefined || isSpent(write, writes, at) ? [] : [said];
    });
    const isOurs = ours.some((value) => sameValue(value, seen));
    // A set is sent as single additions and removals, which overwrite nothing that others did to it.
    if (seen === undefined || isStringArray(seen)) return [];
    if (isOurs || sameValue(seen, shown[field])) return [];
    const hasLanded = ({ values }: Attempt) => sameValue(values[field], shown[field]);
    const covering =
      writes.find((write) => mayCover(write, field, seen, at)) ??
      late.find((write) => hasLanded(write) && mayCover(write, field, seen, at));
    const kept = covering?.values[field];
    if (kept === undefined) return [];
    return [{ field, winner: "record", kept, lost: seen, why: "covered_by_our_write" }];
  });
}

/**
 * Whether a value of this write, seen at `at`, may come from a person: the write, or a later one of ours, was
 * settled before. An unanswered write may still take effect; then one conflict too many is recorded.
 */
function isSpent(write: Attempt, writes: readonly Attempt[], at: Instant): boolean {
  return writes.some(
    ({ sentAt, settledAt }) => sentAt >= write.sentAt && settledAt !== undefined && at > settledAt,
  );
}

function mayCover(write: Attempt, field: string, seen: Json, at: Instant): boolean {
  const { values, base, clockAt, settledAt } = write;
  // An answer older than the clock shows that the provider's clock stepped back, so the edit's time did as well.
  const isSetBack = clockAt !== null && settledAt !== undefined && settledAt < clockAt;
  const within =
    (clockAt === null || isSetBack || at >= clockAt) &&
    (settledAt === undefined || at <= settledAt);
  return within && values[field] !== undefined && !sameValue(base[field], seen);
}

/**
 * Conflicts to record if the resource of a deleted record shows the values of an unanswered write of ours, which
 * replaced known values. A person may have written the same. No event merges this resource any more, so nothing
 * else would record the loss.
 */
export function replacedAfterEnd(
  { tombstone, clock, known, attempt, lastSent, unanswered }: Lane,
  content: Content,
  at: Instant,
): readonly Conflict[] {
  if (!outlivesRecord(tombstone) || known === null || (clock !== null && at < clock.at)) return [];
  const late = [...unanswered, ...(attempt === null ? [] : [attempt])]
    .filter(({ kind }) => kind === "patch")
    .map(({ values }) => values);
  return Object.entries(content).flatMap(([field, kept]): Conflict[] => {
    const lost = known.content[field];
    const isClosing = lastSent?.kind === "close" && sameValue(lastSent.values[field], kept);
    if (lost === undefined || sameValue(lost, kept) || isClosing) return [];
    const isOurs = late.some(
      ({ [field]: sent }) =>
        sameValue(sent, kept) || !sameValue(withOurChanges(lost, sent, kept), lost),
    );
    return isOurs ? [{ field, winner: "record", kept, lost, why: "perhaps_late_write" }] : [];
  });
}

/** The last writes that were sent, newest first, whatever their outcome. */
export function lastWrites({ lastSent }: Pick<Lane, "lastSent">): readonly Attempt[] {
  return lastSent === null ? [] : [lastSent, ...(lastSent.earlier ?? [])];
}

/** The writes before the one that is sent now, limited by age and number. They explain late webhooks. */
export function sentShortlyBefore({ lastSent }: Lane, now: Instant): readonly Attempt[] {
  if (lastSent === null) return [];
  const { earlier = [], ...last } = lastSent;
  return [last, ...earlier]
    .filter(({ sentAt }) => addMillis(sentAt, REMEMBER_MS) > now)
    .slice(0, WRITES_REMEMBERED - 1);
}

/**
 * Conflicts to record for an event that is superseded by a deletion of ours: the author of the edit did not
 * delete the resource, so the edit is lost.
 */
function endedByOurDeletion(
  lane: Lane,
  { content }: TandemEvent,
  newer: TandemEvent,
): readonly Conflict[] {
  const { tombstone, base, known } = lane;
  if (newer.action !== "delete" || !isEndedByRecord(tombstone)) return [];
  if (base === null || content === null) return [];
  // The deletion has recorded the conflicts with the content that it read before it was sent.
  const read = known?.event === tombstone.event ? [known.content] : [];
  return Object.entries(content).flatMap(([field, lost]): Conflict[] => {
    const said = [base, ...read, ...lastWrites(lane).map(({ values }) => values)];
    if (said.some((values) => sameValue(values[field], lost))) return [];
    return [{ field, winner: "record", kept: null, lost, why: "record_deleted" }];
  });
}

/** Cancels an event for a newer one, and records as conflicts the values that a write of ours overwrote. */
export function supersede(
  start: Transition,
  event: TandemEvent,
  newer: TandemEvent,
  now: Instant,
): Transition {
  const { lane } = start;
  const covered =
    event.content === null || event.updatedAt === null
      ? []
      : findOverwrittenEdits(lane, event.content, event.updatedAt, newer.content ?? undefined);
  const canceled = move(start, event.id, "canceled", now, {
    reason: "superseded",
    canceledBy: newer.id,
    conflicts: withConflicts(event, [...covered, ...endedByOurDeletion(lane, event, newer)]),
  });
  const after = asksForRead(event) ? handOn(canceled, newer, event.restores, now) : canceled;
  const { known } = lane;
  // No event merges the canceled event's content now. A newer event that has content becomes the carrier itself.
  return known?.event === event.id ? withLane(after, { known: { ...known, lost: true } }) : after;
}

/** Whether the app restored the lane's record, and no observation of its resource came since. */
export function isRestoring({ live }: Lane): boolean {
  return live.some(({ restores }) => restores);
}

/** Passes the duty to re-read to the newer event. An event that is not in the lane yet gets it when it is added. */
function handOn(
  start: Transition,
  { id }: TandemEvent,
  restores: boolean,
  now: Instant,
): Transition {
  const newer = start.lane.live.find((event) => event.id === id);
  if (newer?.action !== "upsert") return start;
  const details = { reread: true, restores: newer.restores || restores };
  return move(start, id, newer.state, now, details);
}

/** The changes that a request of ours was sent to make, field by field. */
export function changesSent(attempt: Attempt | null): readonly FieldChange[] {
  return attempt === null ? [] : resourceChanges(attempt.values, attempt.base);
}

/** The changes that a write of these values makes to a resource that has the values before. */
export function resourceChanges(values: Content, before: Content): readonly FieldChange[] {
  return Object.entries(values).map(([field, to]) => ({
    side: "resource",
    field,
    from: before[field] ?? null,
    to,
  }));
}

/** Whether the resource was created under its author's own token. */
export function isByAuthor(intent: Intent | null): boolean {
  return (intent?.posted?.byAuthor ?? null) !== null;
}
