/** The routes of a move: which lane goes to which connection of the new container, and the lane that it meets there. */
import type { Departure, Destination } from "../../engine/lifecycle/index.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { ResourceMove } from "../../model/observation.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Contact } from "../services/index.ts";

/** A lane that the move concerns, with what decides its route. */
export interface Leaving extends Departure, Pick<Lane, "connectionId" | "recordId" | "moved"> {
  readonly externalId: string;
  readonly recordType: string;
  /** Its resource is known to be deleted there, or moved from there. */
  readonly gone: boolean;
  /** Its record is deleted, or was moved to another connection. */
  readonly ended: boolean;
  /** The app has moved its record to another connection. */
  readonly left: boolean;
  /** Its resource was out of reach, and returns from there. */
  readonly isAway: boolean;
}

/** The connections of the new container in which no moving record has another counterpart. */
export async function freeConnections(
  tx: StoreTransaction,
  going: readonly Leaving[],
  to: readonly Contact[],
  move: ResourceMove,
): Promise<readonly Destination[]> {
  const taken = new Set<ConnectionId>();
  const leaving = new Set(going.map(({ lane }) => lane));
  for (const { recordType, recordId, ended } of going) {
    if (recordId === null || ended) continue;
    for (const lane of await tx.findLanes({
      kind: "of_records",
      recordType,
      recordIds: [recordId],
    })) {
      const another = lane.externalId !== move.to.externalId && !leaving.has(lane.id);
      if (lane.resourceType === move.type && another) taken.add(lane.connectionId);
    }
  }
  return to.flatMap(({ connection: { id, scope } }) =>
    taken.has(id) ? [] : [{ connection: id, scope }],
  );
}

/** Lanes that return from out of reach, but whose record got a counterpart in another connection meanwhile. */
export async function leftMeanwhile(
  tx: StoreTransaction,
  going: readonly Leaving[],
  route: ReadonlyMap<LaneId, ConnectionId>,
  { type }: ResourceMove,
): Promise<ReadonlySet<LaneId>> {
  const result = new Set<LaneId>();
  for (const { lane, isAway, ended, recordType, recordId } of going) {
    const there = route.get(lane);
    if (!isAway || ended || recordId === null || there === undefined) continue;
    const living = await tx.findLanes({ kind: "of_records", recordType, recordIds: [recordId] });
    const isElsewhere = living.some(
      ({ resourceType, connectionId }) => resourceType === type && connectionId !== there,
    );
    if (isElsewhere) result.add(lane);
  }
  return result;
}

/**
 * Removes routes of lanes that have ended or have no record, if the resource is paired with a record at the
 * destination already: that pairing must not be lost.
 */
export async function withoutDoubles(
  tx: StoreTransaction,
  route: ReadonlyMap<LaneId, ConnectionId>,
  going: readonly Leaving[],
  { type, to }: ResourceMove,
): Promise<ReadonlyMap<LaneId, ConnectionId>> {
  const result = new Map(route);
  for (const { lane, ended, recordId: own } of going) {
    const connection = route.get(lane);
    if (connection === undefined || !(ended || own === null)) continue;
    const there = await tx.findLanes({
      kind: "of_resources",
      connectionId: connection,
      resourceType: type,
      externalIds: [to.externalId],
    });
    if (there.some(({ recordId, tombstone }) => recordId !== null && tombstone === null)) {
      result.delete(lane);
    }
  }
  return result;
}

/** The lane at each destination, which is created if the resource was not seen there yet. */
export async function placesFor(
  tx: StoreTransaction,
  route: ReadonlyMap<LaneId, ConnectionId>,
  { type, to }: ResourceMove,
  { recordType }: Mapping,
): Promise<ReadonlyMap<LaneId, LaneId>> {
  const keys = [...route.values()].map((connectionId) => ({
    connectionId,
    resourceType: type,
    recordType,
    externalId: to.externalId,
    recordId: null,
  }));
  const places = await tx.ensureLanes(keys);
  return new Map(
    [...route.keys()].flatMap((lane, index) => {
      const place = places[index];
      return place === undefined ? [] : [[lane, place] as const];
    }),
  );
}
