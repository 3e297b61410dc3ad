/** Reads the lanes that decide the routes of a move, and the lane that each one meets at its new address. */
import type { Departure, DepartingLane, ReachedConnection } from "../../engine/lifecycle/index.ts";
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

/** The lanes with what decides their routes: the living lanes of their records. */
export async function withRecordLanes(
  tx: StoreTransaction,
  going: readonly Leaving[],
): Promise<readonly (Leaving & DepartingLane)[]> {
  const result: (Leaving & DepartingLane)[] = [];
  for (const one of going) {
    const { recordType, recordId, ended } = one;
    const isLiving = recordId !== null && !ended;
    const ofRecord = isLiving
      ? await tx.findLanes({ kind: "of_records", recordType, recordIds: [recordId] })
      : [];
    result.push({ ...one, ofRecord });
  }
  return result;
}

/** The connections of the new container, with what they know of the resource under its new address. */
export async function connectionsReached(
  tx: StoreTransaction,
  contacts: readonly Contact[],
  { type, to }: ResourceMove,
): Promise<readonly ReachedConnection[]> {
  const result: ReachedConnection[] = [];
  for (const { connection } of contacts) {
    const there = await tx.findLanes({
      kind: "of_resources",
      connectionId: connection.id,
      resourceType: type,
      externalIds: [to.externalId],
    });
    const isPaired = there.some(
      ({ recordId, tombstone }) => recordId !== null && tombstone === null,
    );
    result.push({ connection: connection.id, scope: connection.scope, isPaired });
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
