/**
 * How a pairing has ended: the state of its record and of its resource.
 *
 *   record    present | deleted | moved by the app: to another connection, out of scope, with its parent
 *   resource  present | deleted | out of reach, in a container that no connection covers
 *
 *                         record present   record deleted   record moved
 *   resource present      (living lane)    to be removed    to be removed
 *   resource deleted      may return       ended            ended
 *   resource out of reach may come back    may come back    may come back
 *
 * The transitions between these states are in `engine/lane/tombstone.ts`.
 */
import type { EventId } from "./ids.ts";
import type { Instant } from "./instant.ts";

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

export type ResourceEnd = "present" | "deleted" | OutOfReach;

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
  return tombstone.resource.outOfReach;
}

export type EndedSide = "record" | "resource";

/**
 * The side whose end counts for an ended pairing: `record` while the end of the record is still to be carried out
 * at the resource, `resource` once there is nothing left to do there.
 */
export function endedSide({ record, resource }: Tombstone): EndedSide {
  if (typeof resource !== "string") return record === "deleted" ? "record" : "resource";
  return resource === "present" ? "record" : "resource";
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
  return tombstone !== null && tombstone.record === "deleted" && tombstone.resource !== "deleted";
}

export function recordDeleted(event: EventId, at: Instant): Tombstone {
  return { event, at, record: "deleted", resource: "present" };
}

export function resourceDeleted(event: EventId, at: Instant): Tombstone {
  return { event, at, record: "present", resource: "deleted" };
}
