/**
 * A resource that was taken for deleted but appears in a list. A list may be outdated, so the resource is read by
 * id. If the read proves it alive, the pairing continues: with its record if that exists, or else with a new one.
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

/** Whether a read could prove the resource of an ended lane alive. */
export function mayBeBack(lane: Lane, context: Context): lane is Returnable {
  return mayReturn(lane) && inboundOff(lane, context) === null;
}

/** Whether a list or a read may show the resource only because it is stale: the tombstone is too recent. */
export function isTooYoungToReturn({ tombstone }: Returnable, now: Instant): boolean {
  return addMillis(tombstone.at, READS_LAG_MS) > now;
}

/**
 * Admits the read of a resource whose lane has ended.
 *
 * @param record The present record. A lane whose record is deleted, or has another counterpart, is detached from it.
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

/** Whether a lane has sent nothing yet, so that its record can be paired with its earlier resource again. */
export function isUnsent(lane: Lane): boolean {
  return lane.externalId === null && lane.intent === null && processing(lane) === null;
}

/** Adds the change times of the lane that the record got meanwhile, if any: these edits are the record's. */
export function takeEditTimes(lane: Lane, follower: Lane | null): Lane {
  if (follower === null) return lane;
  const recordChangedAt: Record<string, Instant> = { ...lane.recordChangedAt };
  for (const [field, at] of Object.entries(follower.recordChangedAt)) {
    recordChangedAt[field] = laterOf(recordChangedAt[field] ?? null, at) ?? at;
  }
  return { ...lane, recordChangedAt };
}

/** Cancels the events of the lane that the record got meanwhile: the event of the return replaces them. */
export function releaseEvents(follower: Lane, event: TandemEvent, now: Instant): Transition {
  return follower.live.reduce<Transition>(
    (start, waiting) => supersede(start, waiting, event, now),
    unchanged(follower),
  );
}

/** Plans the actions for the record of a resource that returned. */
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
