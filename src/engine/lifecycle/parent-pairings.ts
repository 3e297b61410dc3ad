/**
 * The pairings of a child record's parent. They decide to which connections the child belongs.
 *
 *   1  the parent's living lanes, and the ones it will get    `presentParents`
 *   2  the child's lanes in connections without either        `hasParentIn`
 *   3  the parent's ended lanes there                         `withEndedParents`
 */
import type { ConnectionId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { recordMoveOf } from "../../model/tombstone.ts";
import type { ParentPairing } from "./record-move.ts";
import { endedIn, type EndedLane } from "./record-placement.ts";

type InConnection = Pick<Lane, "connectionId">;

/** The lanes of a child record. */
interface ChildLanes {
  readonly living: readonly InConnection[];
  /** They only matter if a lane of the parent is moving. */
  readonly ended: readonly (InConnection & Pick<EndedLane, "tombstone">)[];
}

/**
 * The living pairings of a child's parent, and those that are expected. The parent counts as moving while the child
 * has a lane in the former connection: it follows the parent. So does a child that was out of reach with it. A record
 * that the app moved away follows no move.
 *
 * @param lanes The parent's living lanes.
 * @param expected The connections in which the parent will get its first lane.
 */
export function presentParents(
  lanes: readonly Pick<Lane, "connectionId" | "moved">[],
  expected: readonly ConnectionId[],
  { living, ended }: ChildLanes,
): readonly ParentPairing[] {
  const mayFollow = ended.filter(({ tombstone }) => recordMoveOf(tombstone) === null);
  const parents = lanes.map(({ connectionId, moved }): ParentPairing => {
    const isLeft = [...living, ...mayFollow].some(
      (lane) => lane.connectionId === moved?.connection,
    );
    return { connectionId, standing: isLeft ? "moving" : "living" };
  });
  const toCome = expected.map((connectionId): ParentPairing => ({
    connectionId,
    standing: "expected",
  }));
  return [...parents, ...toCome];
}

/** Whether the parent has a pairing in the connection of a child's lane. */
export function hasParentIn(
  { connectionId }: InConnection,
  parents: readonly ParentPairing[],
): boolean {
  return parents.some((one) => one.connectionId === connectionId);
}

/**
 * Adds how the parent ended, for each connection without a present pairing.
 *
 * @param ended The parent's ended lanes, oldest first. If several ended in one connection, the last one counts.
 */
export function withEndedParents(
  parents: readonly ParentPairing[],
  ended: readonly EndedLane[],
): readonly ParentPairing[] {
  const last = new Map(
    ended.flatMap((lane) => {
      const standing = recordMoveOf(lane.tombstone) === null ? "ended" : "left";
      return endedIn(lane).map((id) => [id, standing] as const);
    }),
  );
  const gone = [...last]
    .map(([connectionId, standing]): ParentPairing => ({ connectionId, standing }))
    .filter((one) => !hasParentIn(one, parents));
  return [...parents, ...gone];
}
