/**
 * The lanes that take the captured writes of one record: existing ones, and ones to create.
 *
 *   1  its living lanes                                                always
 *   2  the lane in each connection that the record belongs to          `placeRecord`
 *   3  ended lanes of a record that exists again, but elsewhere        `lanesLeftSinceEnded`
 *
 * A row that is absent belongs to no connection. An archived record belongs to none either until it is restored.
 */
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import {
  type CapturedWrite,
  isSoftDeleted,
  type Mapping,
  placingColumn,
  type Row,
} from "../../model/mapping.ts";
import {
  isEndedByRecord,
  isEndedByResource,
  type RecordMove,
  recordMoveOf,
} from "../../model/tombstone.ts";
import { connectionsAt, leavingLanes, type RecordLocation } from "./record-move.ts";
import { type EndedLane, placeRecord } from "./record-placement.ts";

/** A lane of the record, by the resource type of the mapping. */
interface RecordLane extends Pick<Lane, "id" | "connectionId"> {
  /** Its connection exists and has the mapping. */
  readonly isMapped: boolean;
}

/** A record with captured writes. */
export interface WrittenRecord {
  readonly mapping: Mapping;
  /** The present row; `null` if it is deleted or hidden. */
  readonly row: Row | null;
  /** The row is absent and may only be hidden from Tandem. */
  readonly hidden: boolean;
  readonly writes: readonly Write[];
  readonly where: RecordLocation;
  readonly living: readonly RecordLane[];
  /** Oldest first. */
  readonly ended: readonly (RecordLane & EndedLane)[];
}

type Write = Pick<CapturedWrite, "origin" | "operation" | "columns">;

/** A lane that takes the writes of a record. */
export type WriteRoute =
  | {
      readonly kind: "existing";
      readonly lane: LaneId;
      readonly living: boolean;
      /** The destination, if the record has left the lane's connection. */
      readonly moved: RecordMove | null;
      /** The lane ended with its record, which is restored in this connection; otherwise `null`. */
      readonly restoresIn: ConnectionId | null;
    }
  /** The record's lane in a connection, which is created if it does not exist. */
  | {
      readonly kind: "ensured";
      readonly connectionId: ConnectionId;
      /** The record was moved here and had no lane here before: its children follow. */
      readonly arrives: boolean;
      /** The lane follows one that has ended: children may have ended because of it, and must be checked. */
      readonly revives: boolean;
    };

/** Decides which lanes take the captured writes of a record. */
export function routeWrites(record: WrittenRecord): readonly WriteRoute[] {
  const { mapping, row, living, writes } = record;
  const mapped = living.filter(isMapped);
  const left = leavingLanes(mapped, record.where);
  const mayLeave =
    isLivingRow(record) && (mayHaveMoved(mapping, writes) || isRevival(mapping, writes));
  const present = mapped.map(({ id }) =>
    existing(id, { living: true, moved: mayLeave ? (left.get(id) ?? null) : null }),
  );
  if (row === null) return [...present, ...routesOfAbsent(record)];
  if (!isLivingRow(record)) return present;
  const isFromElsewhere = living.some(({ id }) => left.has(id));
  const placed = placedRoutes(record, isFromElsewhere);
  return [...present, ...placed, ...routesLeftSince(record, placed)];
}

/**
 * An absent record's lane whose resource was deleted before. Nothing is sent, and the lane's event keeps unsent edits
 * as conflicts. A row that may only be hidden is no deletion.
 */
function routesOfAbsent({ hidden, living, ended }: WrittenRecord): readonly WriteRoute[] {
  if (hidden || living.length > 0) return [];
  const kept = ended.findLast(({ tombstone }) => isEndedByResource(tombstone));
  return kept === undefined ? [] : [existing(kept.id)];
}

/** The routes in the connections that the record belongs to. */
function placedRoutes(
  { mapping, writes, where, living, ended }: WrittenRecord,
  isFromElsewhere: boolean,
): readonly WriteRoute[] {
  const placed = {
    living,
    ended,
    isRevival: isRevival(mapping, writes),
    isFromElsewhere,
    isChild: mapping.parent !== null,
  };
  const routes = connectionsAt(where).map((connectionId): WriteRoute => {
    const placement = placeRecord(connectionId, placed);
    switch (placement.kind) {
      case "back":
        return existing(placement.lane.id, { restoresIn: connectionId });
      case "over":
        return existing(placement.lane.id);
      case "paired":
      case "first":
      case "anew":
        return {
          kind: "ensured",
          connectionId,
          arrives: placement.kind === "first" && isMove(mapping, writes),
          revives: placement.kind === "anew",
        };
    }
  });
  // An ended lane may count in two connections: its own, and the one that its resource was moved from.
  return routes.filter(
    (route, index) =>
      route.kind === "ensured" ||
      !routes
        .slice(index + 1)
        .some((later) => later.kind === "existing" && later.lane === route.lane),
  );
}

/** The lanes that ended with the record, if it exists again and belongs to another connection: it was moved. */
function routesLeftSince(
  { where, ended }: WrittenRecord,
  placed: readonly WriteRoute[],
): readonly WriteRoute[] {
  if (where.kind !== "by_scope") return [];
  const isRestored = ({ id }: RecordLane) =>
    placed.some((route) => route.kind === "existing" && route.lane === id);
  const withRecord = ended.filter(
    (lane) =>
      isMapped(lane) &&
      isEndedByRecord(lane.tombstone) &&
      recordMoveOf(lane.tombstone) === null &&
      !isRestored(lane),
  );
  return [...leavingLanes(withRecord, where)].map(([lane, moved]) => existing(lane, { moved }));
}

function existing(
  lane: LaneId,
  how: Partial<Extract<WriteRoute, { readonly kind: "existing" }>> = {},
): WriteRoute {
  return { kind: "existing", lane, living: false, moved: null, restoresIn: null, ...how };
}

function isMapped(lane: RecordLane): boolean {
  return lane.isMapped;
}

function isLivingRow({ mapping, row }: WrittenRecord): boolean {
  return row !== null && !isSoftDeleted(mapping, row);
}

/** Whether the record existed before these writes and was moved by them. */
function isMove(mapping: Mapping, writes: readonly Write[]): boolean {
  return writes.every(({ operation }) => operation === "update") && mayHaveMoved(mapping, writes);
}

/** Whether the writes changed the record's scope or parent: no other write moves it. */
function mayHaveMoved(mapping: Mapping, writes: readonly Write[]): boolean {
  const column = placingColumn(mapping);
  return column !== null && writes.some(({ columns }) => columns.includes(column));
}

/** Whether the app inserted the record again, or restored it. */
function isRevival({ softDelete }: Mapping, writes: readonly Write[]): boolean {
  return writes.some(
    ({ origin, operation, columns }) =>
      origin === null &&
      (operation === "insert" || (softDelete !== null && columns.includes(softDelete))),
  );
}
