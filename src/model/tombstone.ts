/**
 * The life of a pairing. A tombstone is the state of an ended one: how its record and its resource ended.
 *
 *   first sight --> ONE-SIDED -- both ids known --> LIVING -- resource transferred --> LIVING, at the new address
 *                                                   LIVING, found at that address  --> LEFT BEHIND, at the old one
 *
 *   LIVING -- resource deleted -----> ENDED, resource      -- a read by id proves it alive --> LIVING
 *   LIVING -- transferred away -----> ENDED, out of reach  -- transferred back --> LIVING
 *   LIVING -- record deleted -------> ENDED, record        -- restored by the app --> LIVING
 *   LIVING -- record moved away ----> ENDED, record moved  -- moved back by the app --> LIVING
 *
 * Either side may end after the other:
 *
 *                          record present   record deleted   record moved
 *   resource present       (living lane)    to be removed    to be removed
 *   resource deleted       may return       ended            ended
 *   resource moved on      left behind      -                -
 *   resource out of reach  may come back    may come back    may come back
 *
 * `Lane` has the facts that stand beside a state, such as `moved` (decision 18).
 * The transitions between these states are in `engine/lane/tombstone.ts`.
 */
import type { EventId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import type { LaneAddress } from "./observation.ts";

/** Marks a lane whose record, resource or both are gone. A lane without one lives. */
export interface Tombstone {
  /** The event that ended the pairing. */
  readonly event: EventId;
  readonly at: Instant;
  readonly record: RecordEnd;
  readonly resource: ResourceEnd;
}

export type RecordEnd = "present" | "deleted" | RecordMove;

/** The destination of a record that the app moved: another connection, none, or wherever its parent moved. */
export type RecordMove = "to_connection" | "out_of_scope" | "with_parent";

export type ResourceEnd = "present" | "deleted" | MovedOn | OutOfReach;

/** The resource was moved on, and another lane has it. This lane was left behind at the old address. */
export interface MovedOn {
  readonly movedOn: LaneAddress;
}

/** The resource lives in a container that no connection covers. */
export interface OutOfReach {
  /** Its address there; see `placeText`. */
  readonly outOfReach: string;
}

/** The move of an ended pairing's record; `null`: the record is present or deleted. */
export function recordMoveOf(tombstone: Tombstone | null): RecordMove | null {
  if (tombstone === null) return null;
  const { record } = tombstone;
  return record === "present" || record === "deleted" ? null : record;
}

/** The address of a resource that is out of reach; `null`: it is present or deleted. */
export function placeOutOfReach(tombstone: Tombstone | null): string | null {
  if (tombstone === null || typeof tombstone.resource === "string") return null;
  return "outOfReach" in tombstone.resource ? tombstone.resource.outOfReach : null;
}

/** The address that the resource of a lane left behind moved on to: the next step of its trail. */
export function nextAddress(tombstone: Tombstone | null): LaneAddress | null {
  if (tombstone === null || typeof tombstone.resource === "string") return null;
  return "movedOn" in tombstone.resource ? tombstone.resource.movedOn : null;
}

/**
 * The address that a lane was at before. A lane that moved with its resource has it in `moved` until record and children
 * have followed. A lane left behind came from the address that its resource moved on to.
 */
export function previousAddress(lane: {
  readonly moved: LaneAddress | null;
  readonly tombstone: Tombstone | null;
}): LaneAddress | null {
  return lane.moved ?? nextAddress(lane.tombstone);
}

/** Whether the lane has lost its resource: it was deleted, or it moved on and another lane has it. */
export function isResourceGone(tombstone: Tombstone | null): boolean {
  if (tombstone === null) return false;
  return tombstone.resource !== "present" && placeOutOfReach(tombstone) === null;
}

export type EndedSide = "record" | "resource";

/**
 * The side whose end counts for an ended pairing: `record` while the end of the record is still to be carried out
 * at the resource, `resource` once there is nothing left to do there.
 */
export function endedSide(tombstone: Tombstone): EndedSide {
  if (isResourceGone(tombstone)) return "resource";
  return tombstone.resource === "present" || tombstone.record === "deleted" ? "record" : "resource";
}

/** Whether a pairing ended by its record, and its resource may still be there. */
export function isEndedByRecord(tombstone: Tombstone | null): tombstone is Tombstone {
  return tombstone !== null && endedSide(tombstone) === "record";
}

/** Whether a pairing ended, and nothing is left to do at its resource. */
export function isEndedByResource(tombstone: Tombstone | null): tombstone is Tombstone {
  return tombstone !== null && endedSide(tombstone) === "resource";
}

/** Whether the record was deleted, and its resource is not: it is present, or out of reach. */
export function outlivesRecord(tombstone: Tombstone | null): tombstone is Tombstone {
  return tombstone !== null && tombstone.record === "deleted" && !isResourceGone(tombstone);
}

export function recordDeleted(event: EventId, at: Instant): Tombstone {
  return { event, at, record: "deleted", resource: "present" };
}

export function resourceDeleted(event: EventId, at: Instant): Tombstone {
  return { event, at, record: "present", resource: "deleted" };
}

/** The end of a lane that is left behind at an address. */
export function resourceMovedOn(event: EventId, at: Instant, movedOn: LaneAddress): Tombstone {
  return { event, at, record: "present", resource: { movedOn } };
}
