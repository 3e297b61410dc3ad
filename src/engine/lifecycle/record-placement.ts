/**
 * The lane that takes a local write in a connection that its record belongs to.
 *
 *   1  the connections of the record                      `connectionsAt` in `record-move.ts`
 *   2  the ended lane that counts in such a connection    `takingBack`
 *   3  the lane that takes the write                      `placeRecord`
 */
import type { ConnectionId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import {
  isEndedByRecord,
  isEndedByResource,
  placeOutOfReach,
  previousAddress,
  recordMoveOf,
  type Tombstone,
} from "../../model/tombstone.ts";

/** The part of an ended lane that decides whether it takes its record back. */
export interface EndedLane extends Pick<Lane, "connectionId" | "moved"> {
  readonly tombstone: Tombstone;
}

/** The lane that takes a record's write in a connection that the record belongs to. */
export type Placement<Ended> =
  /** Its living lane takes the write. */
  | { readonly kind: "paired" }
  /** Its first lane there is created. Its children follow. */
  | { readonly kind: "first" }
  /** A new lane follows the one that has ended. */
  | { readonly kind: "anew" }
  /** The lane that ended with the record is restored, with its resource. */
  | { readonly kind: "back"; readonly lane: Ended }
  /** The resource is deleted: the ended lane notes the write as ignored, and no other resource is created. */
  | { readonly kind: "over"; readonly lane: Ended };

/** A record's write, and the record's lanes. */
export interface Placed<Ended extends EndedLane> {
  /** The record's lanes by one mapping: living ones, and ended ones, oldest first. */
  readonly living: readonly Pick<Lane, "connectionId">[];
  readonly ended: readonly Ended[];
  /** The app inserted the record again, or restored it. */
  readonly isRevival: boolean;
  /** The write moves it out of another connection. */
  readonly isFromElsewhere: boolean;
  /** It has a parent record. */
  readonly isChild: boolean;
}

/** Decides which lane takes a record's write in a connection that the record belongs to. */
export function placeRecord<Ended extends EndedLane>(
  connectionId: ConnectionId,
  { living, ended, isRevival, isFromElsewhere, isChild }: Placed<Ended>,
): Placement<Ended> {
  if (living.some((lane) => lane.connectionId === connectionId)) return { kind: "paired" };
  const lane = takingBack(ended, living.length > 0, connectionId);
  if (lane === undefined) return { kind: "first" };
  const { tombstone } = lane;
  if (isEndedByRecord(tombstone)) return { kind: "back", lane };
  // If the parent's resource had returned here, this child would have followed it. So the parent has another one.
  const isBelowAnother = isChild && placeOutOfReach(tombstone) !== null;
  const isMoved = recordMoveOf(tombstone) !== null;
  return isRevival || isFromElsewhere || isMoved || isBelowAnother
    ? { kind: "anew" }
    : { kind: "over", lane };
}

/**
 * The ended lane that counts in a connection: the last one that ended there, or whose resource was moved from
 * there since. A lane whose resource was moved makes the record follow, unless the app moved the record elsewhere
 * meanwhile. If its resource is deleted, the lane has ended in the old connection as well. So has the lane of a
 * duplicate record that a move left behind: it must get no counterpart before it is removed.
 *
 * @param ended The record's ended lanes by one mapping, oldest first.
 * @param isPaired Whether the record has a living lane by that mapping, in any connection.
 */
export function takingBack<Ended extends EndedLane>(
  ended: readonly Ended[],
  isPaired: boolean,
  connectionId: ConnectionId,
): Ended | undefined {
  const wasPutElsewhere = ({ at }: Tombstone) =>
    isPaired ||
    ended.some((other) => recordMoveOf(other.tombstone) !== null && other.tombstone.at > at);
  const hasEndedOnTheWay = ({ moved, tombstone }: Ended) =>
    previousAddress({ moved, tombstone })?.connection === connectionId &&
    recordMoveOf(tombstone) === null &&
    (isEndedByResource(tombstone) || !wasPutElsewhere(tombstone));
  return ended.findLast((lane) => lane.connectionId === connectionId || hasEndedOnTheWay(lane));
}

/**
 * The connections in which a parent without a living lane will get its first one. Another worker's drain may be
 * making that lane: its children must not count as unconnected until it commits (situation 55).
 *
 * @param connections The connections of the parent, by its row.
 * @param ended The parent's ended lanes by one mapping, oldest first. A connection with an ended lane is not
 *   expected: a restore notes the children after its commit.
 */
export function expectedIn(
  connections: readonly ConnectionId[],
  ended: readonly EndedLane[],
): readonly ConnectionId[] {
  return connections.filter((id) => takingBack(ended, false, id) === undefined);
}

/**
 * The connections in which a parent's lane counts as ended: its own, and the one it was moved from if it ended
 * before its children followed. These children follow after the parent is restored.
 */
export function endedIn(
  lane: Pick<Lane, "connectionId" | "moved" | "tombstone">,
): readonly ConnectionId[] {
  const { connectionId } = lane;
  const previous = previousAddress(lane);
  return previous === null ? [connectionId] : [previous.connection, connectionId];
}
