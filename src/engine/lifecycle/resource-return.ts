/**
 * A resource that was taken for deleted and is listed all the same. What a list shows may be old, so
 * it is read by id, and where that proves it alive the pairing lives on: with its record, if that is
 * still there, or else with a new one.
 */
import type { TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant, laterOf } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { admit } from "../admission/index.ts";
import {
  type Admission,
  type Arrival,
  type Context,
  inboundOff,
  mayReturn,
  processing,
  proves,
  type Returnable,
  supersede,
  unchanged,
} from "../lane/index.ts";
import { type PlannedAction, planNews, type RecordSide } from "./planned.ts";
import { READS_LAG_MS } from "../merge/index.ts";

/** Whether it is worth a read to know if the resource of an ended lane lives. */
export function mayBeBack(lane: Lane, context: Context): lane is Returnable {
  return mayReturn(lane) && inboundOff(lane, context) === null;
}

/** Whether a list or a read may show it only because it lags: the deletion was heard of just now. */
export function isTooYoungToReturn({ tombstone }: Returnable, now: Instant): boolean {
  return addMillis(tombstone.at, READS_LAG_MS) > now;
}

/**
 * Admits the read of a resource whose lane has ended.
 *
 * @param record Its record as it is now; one that is gone, or has another counterpart, is let go of.
 */
export function admitReturn(
  lane: Lane,
  arrival: Arrival,
  record: RecordSide,
  context: Context,
): Admission {
  if (!mayReturn(lane) || !proves(arrival, lane)) return { ...unchanged(lane), event: null };
  return admit(record.kind === "present" ? lane : unpaired(lane), arrival, context);
}

/** Whether a lane has nothing to its name yet: its record may go back to the resource that it had. */
export function isUnsent(lane: Lane): boolean {
  return lane.externalId === null && lane.intent === null && processing(lane) === null;
}

/** With what the record's lane of meanwhile, if it got one, knows of its edits: they are the record's. */
export function takeEditTimes(lane: Lane, follower: Lane | null): Lane {
  if (follower === null) return lane;
  const recordChangedAt: Record<string, Instant> = { ...lane.recordChangedAt };
  for (const [field, at] of Object.entries(follower.recordChangedAt)) {
    recordChangedAt[field] = laterOf(recordChangedAt[field] ?? null, at) ?? at;
  }
  return { ...lane, recordChangedAt };
}

/** What waited in the lane that a record got meanwhile is done by the event that brings it back. */
export function releaseEvents(follower: Lane, event: TandemEvent, now: Instant): Transition {
  return follower.live.reduce<Transition>(
    (start, waiting) => supersede(start, waiting, event, now),
    unchanged(follower),
  );
}

/** Plans what follows for the record of a resource that is alive after all. */
export function planReturn(
  lane: Lane,
  arrival: Arrival,
  record: RecordSide,
  context: Context,
): readonly PlannedAction[] {
  const { lane: after, event } = admitReturn(lane, arrival, record, context);
  if (event?.state !== "queued") return [];
  return planNews(after, event, record.kind === "present" ? record : { kind: "none" }, context);
}

function unpaired(lane: Lane): Lane {
  return { ...lane, recordId: null, base: null, recordChangedAt: {}, archivedAs: null };
}
