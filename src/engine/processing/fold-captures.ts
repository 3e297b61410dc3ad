/** The captured writes of a batch: a burst of edits is one change of its record, admitted to its lanes. */
import { type Admission, type Context, isArchivedByUs } from "../lane/index.ts";
import { contentOrNull } from "../merge/index.ts";
import { type Instant, laterOf } from "../../model/instant.ts";
import type { FieldChange } from "../../model/event.ts";
import type { EventId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { type CapturedWrite, isSoftDeleted, type Mapping, type Row } from "../../model/mapping.ts";
import type { RecordMove } from "../../model/tombstone.ts";
import { unsentOf } from "./inbound.ts";
import {
  admitChange,
  admitRecordMove,
  admitRestore,
  canRestore,
  type RecordChange,
} from "./local-change.ts";

/** The writes to one record, with its present row. */
export interface Folded {
  readonly mapping: Mapping;
  readonly row: Row | null;
  /** The row is absent and may only be hidden from Tandem: that is no delete. */
  readonly hidden: boolean;
  readonly changes: readonly CapturedWrite[];
}

/** The captured writes of one record, and what they mean for one of its lanes. */
export interface LaneWrites extends Folded {
  /** The destination if the record has left the lane's connection. */
  readonly moved: RecordMove | null;
  /** The change that moved it. */
  readonly shift: FieldChange | null;
  /** The record was moved here and had no lane here before. */
  readonly arrives: boolean;
  /** The record is restored in the lane's connection. */
  readonly restores: boolean;
  /** The lane follows one that has ended. */
  readonly revives: boolean;
  /** The event that deleted the record's parent, and this record with it. */
  readonly goneWith: EventId | null;
}

type WritesAdmission =
  | {
      readonly kind: "admitted";
      readonly after: Admission;
      /** Its children follow the record. */
      readonly movesChildren: boolean;
      /** Children that ended with the record are checked again. */
      readonly revivesChildren: boolean;
    }
  | { readonly kind: "next_lane" };

/**
 * Admits the captured writes of one record to one of its lanes. The first row that applies decides:
 *
 *   the record has left the lane's connection                   the lane ends, and children follow
 *   the lane lives, or the record was not restored              the change is admitted
 *   the lane ended with its record, and can be taken back       the lane lives again
 *   otherwise                                                   the record gets its next lane
 */
export function admitWrites(lane: Lane, writes: LaneWrites, context: Context): WritesAdmission {
  const { moved, shift, arrives, restores, revives, goneWith } = writes;
  if (moved !== null && (lane.moved === null || lane.tombstone !== null)) {
    const after = admitRecordMove(lane, moved, shift, context);
    return { kind: "admitted", after, movesChildren: true, revivesChildren: false };
  }
  const change = { ...foldChanges(lane, writes, context), goneWith };
  if (!restores || lane.tombstone === null) {
    const after = admitChange(lane, change, context);
    return { kind: "admitted", after, movesChildren: arrives, revivesChildren: revives };
  }
  if (!canRestore(lane, context)) return { kind: "next_lane" };
  const after = admitRestore(lane, change, context);
  // If there is a resource, it is read first, and that notes the children.
  const revivesChildren = lane.externalId === null;
  return { kind: "admitted", after, movesChildren: false, revivesChildren };
}

/** Folds a batch of writes to one record into one change, with the time of each column's last write. */
export function foldChanges(
  lane: Lane,
  { mapping, row, hidden, changes }: Folded,
  context: Context,
): RecordChange {
  const gone =
    row === null ? !hidden : isSoftDeleted(mapping, row) && !isReturning(lane, row, mapping);
  const content = row === null ? null : contentOrNull(mapping, row);
  const differing =
    content === null || lane.base === null
      ? null
      : new Set(Object.keys(unsentOf(lane, content, context)));
  const marked = changes.every((change) => change.origin !== null);
  const before = changes.findLast((change) => change.oldRow !== null)?.oldRow ?? null;
  return {
    action: gone ? "delete" : "upsert",
    changedAt: changeTimes(mapping, changes, differing, lane.id),
    ours: marked && !gone && differing !== null && !touches(mapping, changes, differing),
    deleted: gone && before !== null ? contentOrNull(mapping, before) : content,
  };
}

/** Whether the writes changed a field that differs from base: then the app, not only Tandem, changed it. */
function touches(
  mapping: Mapping,
  changes: readonly CapturedWrite[],
  differing: ReadonlySet<string>,
): boolean {
  return mapping.fields.some(
    ({ column, field }) =>
      differing.has(field) && changes.some(({ columns }) => columns.includes(column)),
  );
}

/**
 * When the app last changed each column. A write under Tandem's mark counts only if the row differs from base: an
 * app's trigger changed our write, or the merge of another lane wrote it. In the latter case the edit that was merged
 * gives the time (situation 70).
 */
export function changeTimes(
  mapping: Mapping,
  changes: readonly CapturedWrite[],
  differing: ReadonlySet<string> | null,
  lane: LaneId,
): Readonly<Record<string, Instant>> {
  const times: Record<string, Instant> = {};
  for (const { columns, changedAt, origin, edit } of changes) {
    const at = edit === undefined || edit.lane === lane ? changedAt : earlierOf(changedAt, edit.at);
    for (const { column, field } of mapping.fields) {
      if (!columns.includes(column)) continue;
      if (origin !== null && differing?.has(field) !== true) continue;
      const latest = laterOf(times[column] ?? null, at);
      if (latest !== null) times[column] = latest;
    }
  }
  return times;
}

function earlierOf(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}

/** Whether Tandem archived the record but its resource returned: the next merge undoes the archiving. */
function isReturning(lane: Lane, row: Row, mapping: Mapping): boolean {
  return lane.tombstone === null && isArchivedByUs(lane, row, mapping);
}
