/**
 * A record that the app moves: its scope column or its parent changes, and it belongs to another connection from
 * then on. Its lane ends in the old connection, and another lane begins in the new one.
 *
 *   1  the lanes that it leaves                  `leavingLanes`, from its present scope or parent
 *   2  the end of such a lane                    `admitRecordMove` in `local-change.ts`
 *   3  its lane in the new connection            `placeRecord` in `record-placement.ts`
 *   4  later observations of the old resource    ignored for the move; conflicts by `missedAtMove`
 *
 * Only the present scope or parent counts, never the author of the write: a record that follows its transferred
 * resource belongs to the connection of its lane already.
 */
import type { TandemEvent } from "../../model/event.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { type RecordMove, recordMoveOf } from "../../model/tombstone.ts";

/** The part of a parent record's lane that matters to its children. */
export interface ParentPairing {
  readonly connectionId: ConnectionId;
  /**
   * `moving`: its resource was moved, and the child has not followed yet. `left`: it ended by a move of the record.
   * `ended`: it ended by a deletion. `expected`: its row belongs to the connection, and its lane is not committed
   * yet.
   */
  readonly standing: "living" | "expected" | "moving" | "left" | "ended";
}

/** The connections that a record belongs to, by its present row. */
export type RecordLocation =
  /** The record follows a moved resource, so its scope is not decided yet. */
  | { readonly kind: "unsettled" }
  | { readonly kind: "by_scope"; readonly connections: readonly ConnectionId[] }
  | { readonly kind: "by_parent"; readonly parents: readonly ParentPairing[] };

/** The connections in which a record should have a counterpart. */
export function connectionsAt(where: RecordLocation): readonly ConnectionId[] {
  if (where.kind === "unsettled") return [];
  if (where.kind === "by_scope") return where.connections;
  return where.parents.flatMap(({ connectionId, standing }) =>
    standing === "living" || standing === "expected" ? [connectionId] : [],
  );
}

/**
 * The living lanes that a record leaves, with its destination. A child stays in a connection where its parent's
 * lane has ended, because a deleted parent is no move. It leaves a connection in which its parent never had a lane.
 */
export function leavingLanes(
  lanes: readonly { readonly id: LaneId; readonly connectionId: ConnectionId }[],
  where: RecordLocation,
): ReadonlyMap<LaneId, RecordMove> {
  const result = new Map<LaneId, RecordMove>();
  const belongs = new Set(connectionsAt(where));
  for (const { id, connectionId } of lanes) {
    if (belongs.has(connectionId)) continue;
    const left = belongs.size > 0 ? "to_connection" : "out_of_scope";
    if (where.kind === "by_scope") result.set(id, left);
    if (where.kind !== "by_parent") continue;
    const { parents } = where;
    if (parents.some(({ standing }) => standing === "moving")) continue;
    const here = parents.find((one) => one.connectionId === connectionId);
    if (here?.standing === "left") result.set(id, "with_parent");
    else if (belongs.size > 0 || here === undefined) result.set(id, left);
  }
  return result;
}

/** Whether a child's parent is in a connection; `null` while the parent is moving, or if it has ended there. */
export function isBelow(id: ConnectionId, where: RecordLocation | undefined): boolean | null {
  if (where?.kind !== "by_parent") return null;
  if (where.parents.some(({ standing }) => standing === "moving")) return null;
  const connections = connectionsAt(where);
  const hasEnded = connections.length === 0 && where.parents.some((one) => one.connectionId === id);
  return hasEnded ? null : connections.includes(id);
}

/**
 * Whether an outbound event contradicts its record's present connection. Two concurrent drains may have read the
 * record at different times. Then the drain must decide again before anything is sent. In a paired lane only an
 * event that re-reads is checked, such as one that restores a record.
 *
 * @param isHere Whether the record belongs to the lane's connection, by its present row or its parent's lanes.
 *   `null` if its row is deleted, or if its parent is moving or has no counterpart.
 */
export function isMisplaced(
  { externalId, moved, tombstone }: Lane,
  { action, reread }: Pick<TandemEvent, "action" | "reread">,
  isHere: boolean | null,
): boolean {
  if (isHere === null || moved !== null) return false;
  if (action === "delete") return isHere && recordMoveOf(tombstone) !== null;
  return !isHere && (externalId === null || reread) && tombstone === null;
}

/**
 * The lane of a record that left with its parent and was deleted before the parent returned. Its resource now
 * counts as that of any deleted record (S68).
 */
export function deletedWhileAway(lane: Lane): Lane {
  const { tombstone } = lane;
  if (tombstone?.record !== "with_parent") return lane;
  return { ...lane, tombstone: { ...tombstone, record: "deleted" } };
}
