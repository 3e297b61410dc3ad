/**
 * A remote edit that our own write covered: made after we had read the resource and before our
 * request landed, it shows only in a webhook that is by now older than what the resource says.
 */
import { type Content, isStringArray, type Json, sameValue } from "../../model/content.ts";
import type { Conflict, FieldChange, TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Attempt, Intent, Lane, Transition } from "../../model/lane.ts";
import { withOurChanges } from "./sets.ts";
import { move, withConflicts, withLane } from "./transition.ts";

/** How many of our writes an edit's webhook may be late by. */
const WRITES_REMEMBERED = 4;
/** A request lands within this time, or never; a webhook may be as late. */
export const REMEMBER_MS = 10 * 60_000;

/**
 * Conflicts to record for an event that ends unmerged. A field counts where the event falls between
 * what we knew when we sent it and what settled that, and showed neither what was there before nor
 * a value of ours, while the resource does not show the event's value any more.
 *
 * @param shown What the resource shows by now; default: what is known of it.
 */
export function coveredByOurWrite(
  lane: Lane,
  content: Content,
  at: Instant,
  shown: Content | null = lane.known?.content ?? null,
): readonly Conflict[] {
  const { lastSent, unanswered } = lane;
  if (lastSent === null || shown === null) return [];
  const writes = lastWrites(lane).filter(({ kind }) => kind === "patch");
  // What a look did not find may have landed after it, on top of what the look saw.
  const late = unanswered.filter(({ kind }) => kind === "patch");
  const fields = new Set([...writes, ...late].flatMap(({ values }) => Object.keys(values)));
  return [...fields].flatMap((field): Conflict[] => {
    const seen = content[field];
    const ours = [...writes, ...late].flatMap((write) => {
      const said = write.values[field];
      return said === undefined || isSpent(write, writes, at) ? [] : [said];
    });
    const isOurs = ours.some((value) => sameValue(value, seen));
    // Elements of a set leave one by one, and cover nothing that others did to it.
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
 * Whether what a write said may have been said again by somebody else: it, or a later one of ours, was
 * settled before. One that was never answered may land yet; then a conflict too many is named.
 */
function isSpent(write: Attempt, writes: readonly Attempt[], at: Instant): boolean {
  return writes.some(
    ({ sentAt, settledAt }) => sentAt >= write.sentAt && settledAt !== undefined && at > settledAt,
  );
}

function mayCover(write: Attempt, field: string, seen: Json, at: Instant): boolean {
  const { values, base, clockAt, settledAt } = write;
  // Answered at an earlier time than was known: the provider's clock has stepped back, and the edit's time too.
  const isSetBack = clockAt !== null && settledAt !== undefined && settledAt < clockAt;
  const within =
    (clockAt === null || isSetBack || at >= clockAt) &&
    (settledAt === undefined || at <= settledAt);
  return within && values[field] !== undefined && !sameValue(base[field], seen);
}

/**
 * Conflicts to record where a deleted record's resource shows that a write of ours, never answered, has
 * landed on what was known of it, or somebody said the same: nobody merges the resource any more, so
 * nobody else will say so.
 */
export function replacedAfterEnd(
  { tombstone, clock, known, attempt, lastSent, unanswered }: Lane,
  content: Content,
  at: Instant,
): readonly Conflict[] {
  const isEnded = tombstone?.side === "record" && tombstone.recordMoved === undefined;
  if (!isEnded || known === null || (clock !== null && at < clock.at)) return [];
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

/** The writes that left last, the latest first, whatever became of them. */
export function lastWrites({ lastSent }: Pick<Lane, "lastSent">): readonly Attempt[] {
  return lastSent === null ? [] : [lastSent, ...(lastSent.earlier ?? [])];
}

/** The writes before the one that leaves now, as far as it may have built on them. */
export function sentShortlyBefore({ lastSent }: Lane, now: Instant): readonly Attempt[] {
  if (lastSent === null) return [];
  const { earlier = [], ...last } = lastSent;
  return [last, ...earlier]
    .filter(({ sentAt }) => addMillis(sentAt, REMEMBER_MS) > now)
    .slice(0, WRITES_REMEMBERED - 1);
}

/**
 * Conflicts to record for an event that a resource's deletion cancels, where ours was what deleted it:
 * whoever made the edit has deleted nothing.
 */
function endedByOurDeletion(
  lane: Lane,
  { content }: TandemEvent,
  newer: TandemEvent,
): readonly Conflict[] {
  const { tombstone, base, known } = lane;
  const isOurs = newer.action === "delete" && tombstone?.side === "record";
  if (!isOurs || base === null || content === null) return [];
  // What the deletion read before it left, it has named itself.
  const read = known?.event === tombstone.event ? [known.content] : [];
  return Object.entries(content).flatMap(([field, lost]): Conflict[] => {
    const said = [base, ...read, ...lastWrites(lane).map(({ values }) => values)];
    if (said.some((values) => sameValue(values[field], lost))) return [];
    return [{ field, winner: "record", kept: null, lost, why: "record_deleted" }];
  });
}

/** Cancels an event for a newer one, noting what of it a write of ours has covered meanwhile. */
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
      : coveredByOurWrite(lane, event.content, event.updatedAt, newer.content ?? undefined);
  const canceled = move(start, event.id, "canceled", now, {
    reason: "superseded",
    canceledBy: newer.id,
    conflicts: withConflicts(event, [...covered, ...endedByOurDeletion(lane, event, newer)]),
  });
  const after = mustLook(event) ? handOn(canceled, newer, event.restores, now) : canceled;
  const { known } = lane;
  // What it bore is merged by nobody now; a newer event that has content will bear its own.
  return known?.event === event.id ? withLane(after, { known: { ...known, lost: true } }) : after;
}

/** Whether it is to look at the resource before it writes, since nobody did for a while. */
export function mustLook({ direction, action, reread }: TandemEvent): boolean {
  return direction === "outbound" && action === "upsert" && reread;
}

/** Whether the app took the lane's record back, and its resource was not seen since. */
export function isRestoring({ live }: Lane): boolean {
  return live.some(({ restores }) => restores);
}

/** The newer event must look instead; one that is yet to be born is told at its birth. */
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

/** What a request of ours was to change, field by field. */
export function changesSent(attempt: Attempt | null): readonly FieldChange[] {
  return Object.entries(attempt?.values ?? {}).map(([field, to]) => ({
    side: "resource",
    field,
    from: attempt?.base[field] ?? null,
    to,
  }));
}

/** Whether a user wrote the resource under a token of their own. */
export function isByAuthor(intent: Intent | null): boolean {
  return (intent?.posted?.byAuthor ?? null) !== null;
}
