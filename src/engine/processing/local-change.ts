/** Admission of a local write: what a drained change does to a lane. Rows 2, 3 and 7 apply. */
import type { Content } from "../../model/content.ts";
import type { Conflict, FieldChange, TandemEvent } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import { type Instant, laterOf } from "../../model/instant.ts";
import type { Lane, RecordMove, Tombstone, Transition } from "../../model/lane.ts";
import { mappedFields, type Mapping } from "../../model/mapping.ts";
import { cancelOlder } from "../admission/index.ts";
import {
  type Admission,
  bear,
  type Context,
  endedReason,
  inboundOff,
  isRestoring,
  liveEvents,
  missedAtMove,
  move,
  mustLook,
  newEvent,
  nextWriteAt,
  outboundOff,
  outOfReach,
  supersede,
  unchanged,
  withConflicts,
  withLane,
} from "../lane/index.ts";
import { unsentOf } from "./inbound.ts";
import { removalOf } from "./removal.ts";

/** Local writes of one record, folded: a burst is one change. */
export interface RecordChange {
  readonly action: "upsert" | "delete";
  /** When each column was last changed by somebody else than Tandem. */
  readonly changedAt: Readonly<Record<string, Instant>>;
  /** Every write in it was Tandem's, and the row equals base. */
  readonly ours: boolean;
  /** The record's content before it was deleted, as far as it was captured. */
  readonly deleted: Content | null;
  /**
   * Our own deletion of its parent, whose resource was deleted, took it along: the event that did so.
   * Absent where somebody else deleted it.
   */
  readonly goneWith?: EventId | null;
}

/** Decides what becomes of a local write. */
export function admitChange(lane: Lane, change: RecordChange, context: Context): Admission {
  const start = unchanged(takeTimes(lane, change, context.mapping));
  if (change.ours) return { ...start, event: null };
  const born: TandemEvent = {
    ...newEvent(start.lane, context, {
      direction: "outbound",
      action: change.action,
      source: "change",
      ...(change.action === "upsert" ? { runAt: nextWriteAt(start.lane, context) } : {}),
      reread: change.action === "upsert" && (lane.live.some(mustLook) || lane.known?.lost === true),
      restores: change.action === "upsert" && isRestoring(lane),
    }),
    conflicts: change.action === "delete" ? lostWith(lane, change.deleted, context) : [],
  };
  const { tombstone } = start.lane;
  const { goneWith = null } = change;
  if (goneWith !== null && tombstone === null)
    return goneWithParent(start, born, goneWith, context);
  const off = outboundOff(lane, context);
  if (off !== null) {
    const held: TandemEvent = { ...born, state: "disabled", reason: off };
    const isBack = change.action === "upsert" && tombstone === null;
    return done(isBack ? takeBack(start, held, context) : start, held);
  }
  if (tombstone !== null) {
    return done(start, {
      ...born,
      state: "ignored",
      reason: endedReason(tombstone),
      ignoredFor: { id: tombstone.event, type: "events" },
      finishedAt: context.now,
    });
  }
  const canceled = cancelOlder(start, born, context.now);
  if (change.action === "upsert") return done(canceled, born);
  return done(
    withLane(canceled, { tombstone: { event: born.id, at: context.now, side: "record" } }),
    born,
  );
}

/**
 * Nobody wishes the resource away whose record went with its parent's. Where that is gone it is gone as
 * well; where that turns out to be alive it comes back with it.
 */
function goneWithParent(
  start: Transition,
  born: TandemEvent,
  deletion: EventId,
  { now }: Context,
): Admission {
  const tombstone = { event: born.id, at: now, side: "resource" } as const;
  const ended = withLane(cancelOlder(start, born, now), { tombstone, recordId: null, base: null });
  return done(ended, {
    ...born,
    state: "ignored",
    reason: "parent_deleted",
    ignoredFor: { id: deletion, type: "events" },
    finishedAt: now,
  });
}

/**
 * Whether a record that is here again can have its resource back: it was closed or let go of, or its
 * deletion has not begun.
 */
export function canRestore(lane: Lane, { mapping }: Context): boolean {
  if (lane.tombstone?.side !== "record") return false;
  const removal = lane.live.find(isRemoval);
  if (lane.lastSent?.kind === "delete") return removal !== undefined && lane.attempt === null;
  return removal?.state !== "processing" || removalOf(lane, mapping) !== "delete";
}

/**
 * Admits that a record was moved out of the connection. Its resource is treated as that of a deleted
 * record, and whatever was about to pass between them ends: what is unsent goes with the record.
 *
 * @param shift The column that says so; `null` where it is what the record belongs to that was moved.
 */
export function admitRecordMove(
  lane: Lane,
  recordMoved: RecordMove,
  shift: FieldChange | null,
  context: Context,
): Admission {
  const { now } = context;
  const born: TandemEvent = {
    ...newEvent(lane, context, { direction: "outbound", action: "delete", source: "change" }),
    changes: shift === null ? [] : [shift],
  };
  if (lane.tombstone !== null) return leaveAfterEnd(lane, lane.tombstone, born, recordMoved, now);
  const off = outboundOff(lane, context);
  const event: TandemEvent = off === null ? born : { ...born, state: "disabled", reason: off };
  const tombstone = { event: born.id, at: now, side: "record", recordMoved } as const;
  const left: Lane = { ...lane, tombstone };
  const ended = liveEvents(left, "errored", "inbound").reduce(
    (start, failed) =>
      move(start, failed.id, "ignored", now, {
        reason: "record_moved",
        ignoredFor: { id: born.id, type: "events" },
        conflicts: withConflicts(
          failed,
          missedAtMove(left, failed.content ?? {}, failed.id, failed.updatedAt),
        ),
      }),
    unchanged(left),
  );
  return done(cancelOlder(ended, event, now), event);
}

/**
 * The record of a lane that ended with it is here again, and elsewhere: it was not deleted, but has left.
 * What was, or is about to be, done to its resource is what is done to one that a record has left.
 */
function leaveAfterEnd(
  lane: Lane,
  tombstone: Tombstone,
  born: TandemEvent,
  recordMoved: RecordMove,
  now: Instant,
): Admission {
  const start = unchanged(lane);
  if (tombstone.side === "resource" || tombstone.recordMoved !== undefined)
    return { ...start, event: null };
  const left = { ...tombstone, at: now, recordMoved };
  const { movedTo } = tombstone;
  return done(
    withLane(start, { tombstone: movedTo === undefined ? left : outOfReach(left, movedTo) }),
    {
      ...born,
      state: "ignored",
      reason: "record_moved",
      ignoredFor: { id: tombstone.event, type: "events" },
      finishedAt: now,
    },
  );
}

/**
 * Takes a record's deletion back, or its move. Nobody listened to the resource meanwhile, so it is
 * read first. A record that was elsewhere comes back as it is: what both changed meanwhile is its own.
 */
export function admitRestore(lane: Lane, change: RecordChange, context: Context): Admission {
  const taken = takeTimes(lane, change, context.mapping);
  const timed = lane.tombstone?.recordMoved === undefined ? taken : changedNow(taken, context);
  const born: TandemEvent = {
    ...newEvent(timed, context, { direction: "outbound", action: "upsert", source: "change" }),
    ...(timed.externalId === null ? {} : { reason: "reread_needed", reread: true, restores: true }),
  };
  const off = outboundOff(lane, context);
  const event: TandemEvent = off === null ? born : { ...born, state: "disabled", reason: off };
  const alive = takeBack(unchanged({ ...timed, tombstone: null }), event, context);
  // What was led away from a lane that had ended waits still.
  const back = cancelOlder(alive, event, context.now);
  return done(timed.moved === null ? back : followAtLast(back, context), event);
}

/** The resource was moved while the lane had ended: what belongs to it is read, and follows, first. */
function followAtLast(start: Transition, context: Context): Transition {
  const { lane } = start;
  const details = {
    direction: "inbound",
    action: "upsert",
    source: "reread",
    reread: true,
  } as const;
  const updatedAt = lane.clock?.at ?? null;
  const born: TandemEvent = {
    ...newEvent(lane, context, { ...details, updatedAt }),
    reason: "reread_needed",
  };
  const off = inboundOff(lane, context);
  if (off !== null) return bear(start, { ...born, state: "disabled", reason: off });
  return bear(cancelOlder(start, born, context.now), born);
}

/**
 * A resource that found its parent ended is looked at once more, for the parent is here again. What
 * is live of it will see that by itself.
 */
export function admitOrphan(lane: Lane, context: Context): Admission {
  const start = unchanged(lane);
  const present = lane.live.some(({ direction }) => direction === "inbound");
  const unpaired = lane.externalId !== null && lane.recordId === null && lane.tombstone === null;
  if (present || !unpaired) return { ...start, event: null };
  const born: TandemEvent = {
    ...newEvent(lane, context, {
      direction: "inbound",
      action: "upsert",
      source: "reread",
      updatedAt: lane.clock?.at ?? null,
      reread: true,
    }),
    reason: "reread_needed",
  };
  const off = inboundOff(lane, context);
  return done(start, off === null ? born : { ...born, state: "disabled", reason: off });
}

/** Deletions that were not carried out yet have no reason any more. */
function takeBack(start: Transition, event: TandemEvent, { now }: Context): Transition {
  return start.lane.live
    .filter((one) => isRemoval(one) && one.state !== "processing")
    .reduce((transition, one) => supersede(transition, one, event, now), start);
}

function isRemoval({ direction, action }: TandemEvent): boolean {
  return direction === "outbound" && action === "delete";
}

/**
 * Removes the resource of a deleted record once more: the sweep found it alive, since its removal
 * was undone, or a create of ours landed after it.
 */
export function queueRemoval(lane: Lane, context: Context): Admission {
  const start = unchanged(lane);
  const present = lane.live.some(
    (event) => event.direction === "outbound" && event.action === "delete",
  );
  if (lane.tombstone?.side !== "record" || present) return { ...start, event: null };
  const event = newEvent(lane, context, {
    direction: "outbound",
    action: "delete",
    source: "change",
  });
  const off = outboundOff(lane, context);
  if (off !== null) return done(start, { ...event, state: "disabled", reason: off });
  return done(cancelOlder(start, event, context.now), event);
}

/**
 * A record differs from base and nobody told: it was written where no trigger sees it, or restored
 * from a backup. When that was is unknown, so the resource is read first, and wins what both changed.
 */
export function admitDrift(lane: Lane, context: Context): Admission {
  const start = unchanged(lane);
  const present = lane.live.some(({ direction }) => direction === "outbound");
  if (present || lane.tombstone !== null || lane.base === null) return { ...start, event: null };
  const born: TandemEvent = {
    ...newEvent(lane, context, {
      direction: "outbound",
      action: "upsert",
      source: "change",
      reread: true,
    }),
    reason: "reread_needed",
  };
  const off = outboundOff(lane, context);
  return done(start, off === null ? born : { ...born, state: "disabled", reason: off });
}

/**
 * A record whose resource was never made, since its parent's had ended: it is asked for again, for that is
 * here by now. What is live of it will see that by itself.
 */
export function admitUnsent(lane: Lane, context: Context): Admission {
  const isUnsent = lane.recordId !== null && lane.externalId === null && lane.tombstone === null;
  const present = lane.live.some(({ direction }) => direction === "outbound");
  if (present || !isUnsent) return { ...unchanged(lane), event: null };
  return admitChange(
    lane,
    { action: "upsert", changedAt: {}, ours: false, deleted: null },
    context,
  );
}

/** Unsent edits of a record that was deleted are kept where they can be seen. */
function lostWith(lane: Lane, deleted: Content | null, context: Context): readonly Conflict[] {
  if (lane.base === null || deleted === null) return [];
  return Object.entries(unsentOf(lane, deleted, context)).map(([field, lost]) => ({
    field,
    winner: "resource",
    kept: lane.base?.[field] ?? null,
    lost,
    why: "record_deleted",
  }));
}

function changedNow(lane: Lane, { mapping, now }: Context): Lane {
  const times = mappedFields(mapping).map((field) => [field, now] as const);
  return { ...lane, recordChangedAt: Object.fromEntries(times) };
}

/** Moves the per-field times that "later" reads. */
export function takeTimes(
  lane: Lane,
  change: Pick<RecordChange, "changedAt">,
  mapping: Mapping,
): Lane {
  const recordChangedAt: Record<string, Instant> = { ...lane.recordChangedAt };
  for (const { column, field } of mapping.fields) {
    const at = laterOf(recordChangedAt[field] ?? null, change.changedAt[column] ?? null);
    if (at !== null) recordChangedAt[field] = at;
  }
  return { ...lane, recordChangedAt };
}

function done(transition: Parameters<typeof bear>[0], event: TandemEvent): Admission {
  return { ...bear(transition, event), event };
}
