/**
 * The routes of a moved resource: which of its lanes goes to which connection of the new container.
 *
 * 1. No lane goes where its record has another counterpart.
 * 2. A lane without a living record goes nowhere if the resource is paired there: that pairing must not be lost.
 * 3. A lane that returns from out of reach leaves its record if the app put the record elsewhere meanwhile.
 */
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { ResourceMove } from "../../model/observation.ts";
import { type Departure, type Destination, destinations } from "./resource-move.ts";

/** A lane that leaves the resource's old address. */
export interface DepartingLane extends Departure, Pick<Lane, "recordId"> {
  /** Its record is deleted, or was moved to another connection. */
  readonly ended: boolean;
  /** Its resource was out of reach, and returns from there. */
  readonly isAway: boolean;
  /** The living lanes of its record in any connection; none if the record has ended. */
  readonly ofRecord: readonly Pick<Lane, "id" | "connectionId" | "resourceType" | "externalId">[];
}

/** A connection of the new container. */
export interface ReachedConnection extends Destination {
  /** The resource is paired there, under its new address. */
  readonly isPaired: boolean;
}

export interface MoveRoutes {
  /** The connection to which each lane goes. A lane without one goes out of reach. */
  readonly route: ReadonlyMap<LaneId, ConnectionId>;
  /** Lanes on a route that leave their record behind. */
  readonly leftBehind: ReadonlySet<LaneId>;
}

/** Decides where the lanes of a moved resource go. */
export function routeDepartures(
  going: readonly DepartingLane[],
  to: readonly ReachedConnection[],
  move: Pick<ResourceMove, "type" | "to">,
): MoveRoutes {
  const taken = takenByOthers(going, move);
  const free = to.filter(({ connection }) => !taken.has(connection));
  const paired = new Set(to.flatMap((one) => (one.isPaired ? [one.connection] : [])));
  const route = new Map(destinations(going, free));
  for (const { lane, ended, recordId } of going) {
    const connection = route.get(lane);
    if (connection === undefined || !(ended || recordId === null)) continue;
    if (paired.has(connection)) route.delete(lane);
  }
  const left = going.filter((one) => isPutElsewhere(one, route.get(one.lane), move));
  return { route, leftBehind: new Set(left.map(({ lane }) => lane)) };
}

/** The connections in which a record that moves has another counterpart. */
function takenByOthers(
  going: readonly DepartingLane[],
  { type, to }: Pick<ResourceMove, "type" | "to">,
): ReadonlySet<ConnectionId> {
  const leaving = new Set(going.map(({ lane }) => lane));
  const others = going
    .flatMap(({ ofRecord }) => ofRecord)
    .filter((lane) => lane.resourceType === type)
    .filter((lane) => lane.externalId !== to.externalId && !leaving.has(lane.id));
  return new Set(others.map(({ connectionId }) => connectionId));
}

/** Whether a lane returns from out of reach, and its record has a counterpart in another connection. */
function isPutElsewhere(
  { isAway, ofRecord }: DepartingLane,
  there: ConnectionId | undefined,
  { type }: Pick<ResourceMove, "type">,
): boolean {
  if (!isAway || there === undefined) return false;
  return ofRecord.some(
    ({ resourceType, connectionId }) => resourceType === type && connectionId !== there,
  );
}
