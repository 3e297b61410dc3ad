/** Admission of a local write: how a drained change affects its lane. Rows 2, 3 and 7 of admission apply. */
import type { Content } from "../../model/content.ts";
import type { Conflict, FieldChange, TandemEvent } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import { type Instant, laterOf } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { mappedFields, type Mapping } from "../../model/mapping.ts";
import {
  isEndedByRecord,
  outlivesRecord,
  recordDeleted,
  type RecordMove,
  recordMoveOf,
  resourceDeleted,
  type Tombstone,
} from "../../model/tombstone.ts";
import { cancelOlder } from "../admission/index.ts";
import {
  type Admission,
  addEvent,
  type Context,
  endedReason,
  inboundOff,
  isRestoring,
  liveEvents,
  missedAtMove,
  move,
  newEvent,
  nextWriteAt,
  outboundOff,
  supersede,
  trustArrival,
  unchanged,
  withConflicts,
  withLane,
} from "../lane/index.ts";
import { unsentOf } from "./inbound.ts";
import { removalOf } from "./removal.ts";

/** All captured writes of one record, folded into one change. */
export interface RecordChange {
  readonly action: "upsert" | "delete";
  /** When each column was last changed by the app, not by Tandem. */
  readonly changedAt: Readonly<Record<string, Instant>>;
  /** Tandem made every write in it, and the row equals base. */
  readonly ours: boolean;
  /** The record's content before it was deleted, if that was captured. */
  readonly deleted: Content | null;
  /**
   * The event by which Tandem deleted the record's parent, after the parent's resource was deleted: a cascade
   * deleted this record. Absent if the app deleted it.
   */
  readonly goneWith?: EventId | null;
}

/** Decides about a local write and returns the lane that results. */
export function admitChange(lane: Lane, change: RecordChange, context: Context): Admission {
  const start = unchanged(takeTimes(lane, change, context.mapping));
  if (change.ours) return { ...start, event: null };
  const event = newEvent(start.lane, context, {
    direction: "outbound",
    action: change.action,
    source: "change",
    ...(change.action === "upsert" ? { runAt: nextWriteAt(start.lane, context) } : {}),
    restores: change.action === "upsert" && isRestoring(lane),
  });
  const born: TandemEvent = {
    ...event,
    reread: trustArrival(lane, event, context).kind === "read",
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
  return done(withLane(canceled, { tombstone: recordDeleted(born.id, context.now) }), born);
}

/**
 * Ends the lane of a record that a cascade deleted with its parent. The app did not ask to remove its resource:
 * that is gone with the parent's resource, or returns with it if that is found alive.
 */
function goneWithParent(
  start: Transition,
  born: TandemEvent,
  deletion: EventId,
  { now }: Context,
): Admission {
  const tombstone = resourceDeleted(born.id, now);
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
 * Whether a restored record can be paired with its resource again: the resource was closed or detached, or its
 * deletion has not begun.
 */
export function canRestore(lane: Lane, { mapping }: Context): boolean {
  if (!isEndedByRecord(lane.tombstone)) return false;
  const removal = lane.live.find(isRemoval);
  if (lane.lastSent?.kind === "delete") return removal !== undefined && lane.attempt === null;
  return removal?.state !== "processing" || removalOf(lane, mapping) !== "delete";
}

/**
 * Admits the move of a record out of the connection. Its resource is treated as that of a deleted record, and the
 * lane's other events end: unsent edits stay in the record and are sent at its new place.
 *
 * @param shift The change of the scope column; `null` if the record's parent was moved.
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
  const left: Lane = {
    ...lane,
    tombstone: { event: born.id, at: now, record: recordMoved, resource: "present" },
  };
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
 * Admits that the record of an ended lane exists in another connection: it was moved, not deleted. The removal of
 * its resource stays, because a moved record's resource is treated alike.
 */
function leaveAfterEnd(
  lane: Lane,
  tombstone: Tombstone,
  born: TandemEvent,
  recordMoved: RecordMove,
  now: Instant,
): Admission {
  const start = unchanged(lane);
  if (!outlivesRecord(tombstone)) return { ...start, event: null };
  return done(withLane(start, { tombstone: { ...tombstone, at: now, record: recordMoved } }), {
    ...born,
    state: "ignored",
    reason: "record_moved",
    ignoredFor: { id: tombstone.event, type: "events" },
    finishedAt: now,
  });
}

/**
 * Restores the lane of a record that the app restored, or moved back. Changes of the resource were ignored
 * meanwhile, so it is read first. A record that was moved away wins the fields that both sides changed meanwhile.
 */
export function admitRestore(lane: Lane, change: RecordChange, context: Context): Admission {
  const taken = takeTimes(lane, change, context.mapping);
  const timed = recordMoveOf(lane.tombstone) === null ? taken : changedNow(taken, context);
  const born: TandemEvent = {
    ...newEvent(timed, context, { direction: "outbound", action: "upsert", source: "change" }),
    ...(timed.externalId === null ? {} : { reason: "reread_needed", reread: true, restores: true }),
  };
  const off = outboundOff(lane, context);
  const event: TandemEvent = off === null ? born : { ...born, state: "disabled", reason: off };
  const alive = takeBack(unchanged({ ...timed, tombstone: null }), event, context);
  // If the resource moved while the lane was ended, its children still have to follow.
  const back = cancelOlder(alive, event, context.now);
  return done(timed.moved === null ? back : followAtLast(back, context), event);
}

/** Queues the inbound event that makes the children follow a resource that moved while the lane was ended. */
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
  if (off !== null) return addEvent(start, { ...born, state: "disabled", reason: off });
  return addEvent(cancelOlder(start, born, context.now), born);
}

/**
 * Queues a re-read of an unpaired resource whose parent had ended and is restored by now. A live event of the lane
 * finds the parent itself, so none is added then.
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

/** Cancels deletions that have not begun, because the record was restored. */
function takeBack(start: Transition, event: TandemEvent, { now }: Context): Transition {
  return start.lane.live
    .filter((one) => isRemoval(one) && one.state !== "processing")
    .reduce((transition, one) => supersede(transition, one, event, now), start);
}

function isRemoval({ direction, action }: TandemEvent): boolean {
  return direction === "outbound" && action === "delete";
}

/**
 * Queues another removal of a deleted record's resource that the sweep found alive: a person undid the removal, or
 * a create of ours took effect after it.
 */
export function queueRemoval(lane: Lane, context: Context): Admission {
  const start = unchanged(lane);
  const present = lane.live.some(
    (event) => event.direction === "outbound" && event.action === "delete",
  );
  if (!isEndedByRecord(lane.tombstone) || present) return { ...start, event: null };
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
 * Admits that a record differs from base without a captured write: it was written while no trigger fired, or
 * restored from a backup. The time of that write is unknown, so the resource is read first and wins fields that both
 * sides changed.
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
 * Queues the create of a record whose resource was never made because its parent had ended, and is restored by now.
 * A live outbound event of the lane finds the parent itself, so none is added then.
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

/** Conflicts for unsent edits of a deleted record, so that the ledger keeps them. */
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

/** Advances the per-field change times, by which a policy decides which side is later. */
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

function done(transition: Parameters<typeof addEvent>[0], event: TandemEvent): Admission {
  return { ...addEvent(transition, event), event };
}
