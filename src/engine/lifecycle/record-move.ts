/**
 * A record that the app moves: its scope column changes, or what it belongs to does, and it belongs
 * to another connection from then on. Its lane ends where it was, and another begins where it is.
 *
 *   1  which lanes it leaves       `leavingLanes`, from where it belongs by now
 *   2  what becomes of such a lane `admitRecordMove` in `local-change.ts`
 *   3  what takes it where it is   `placeRecord` in `record-placement.ts`
 *   4  what is still heard there   ignored for the move; what it says is named, see `missedAtMove`
 *
 * Only where the record belongs by now counts, never who wrote the column: a record that follows its
 * transferred resource belongs to the connection that its lane is in already.
 */
import type { TandemEvent } from "../../model/event.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane, RecordMove } from "../../model/lane.ts";

/** A parent record's lane, as far as its children are concerned. */
export interface ParentPairing {
  readonly connectionId: ConnectionId;
  /**
   * `moving`: its resource was moved, and the child in question is still to follow. `left`: it ended by
   * a move of the record. `ended`: by a deletion. `expected`: its row belongs to the connection, and its
   * lane is not committed yet.
   */
  readonly standing: "living" | "expected" | "moving" | "left" | "ended";
}

/** Where a record belongs, as its row says it. */
export type Whereabouts =
  /** It follows a resource that was moved, so its scope says nothing yet. */
  | { readonly kind: "unsettled" }
  | { readonly kind: "by_scope"; readonly connections: readonly ConnectionId[] }
  | { readonly kind: "by_parent"; readonly parents: readonly ParentPairing[] };

/** The connections that a record is to have a counterpart in. */
export function connectionsAt(where: Whereabouts): readonly ConnectionId[] {
  if (where.kind === "unsettled") return [];
  if (where.kind === "by_scope") return where.connections;
  return where.parents.flatMap(({ connectionId, standing }) =>
    standing === "living" || standing === "expected" ? [connectionId] : [],
  );
}

/**
 * Which of a record's living lanes it leaves, and for where. A child whose parent had its counterpart
 * here stays: that its parent was deleted is no move. Where it never had one, nothing is to come here.
 */
export function leavingLanes(
  lanes: readonly { readonly id: LaneId; readonly connectionId: ConnectionId }[],
  where: Whereabouts,
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

/**
 * Whether an outbound event belies where its record is by now: two drains at once may each have seen
 * the record at another time. Then the drain looks once more, and nothing is sent before it has. Of
 * what is paired only that is asked which looks at the resource first, as who is taken back does.
 *
 * @param isHere Whether the record belongs to the lane's connection as its row, or its parent's lanes,
 *   are now; `null` where its row is gone, or its parent is on its way or has no counterpart.
 */
export function isMisplaced(
  { externalId, moved, tombstone }: Lane,
  { action, reread }: Pick<TandemEvent, "action" | "reread">,
  isHere: boolean | null,
): boolean {
  if (isHere === null || moved !== null) return false;
  if (action === "delete") return isHere && tombstone?.recordMoved !== undefined;
  return !isHere && (externalId === null || reread) && tombstone === null;
}

/**
 * A lane that was let go of with its parent, whose record was deleted meanwhile, once the parent is back: its
 * resource is that of any deleted record by now (S68).
 */
export function deletedWhileAway(lane: Lane): Lane {
  const { tombstone } = lane;
  if (tombstone?.recordMoved !== "with_parent") return lane;
  const { recordMoved: _, ...deleted } = tombstone;
  return { ...lane, tombstone: deleted };
}
