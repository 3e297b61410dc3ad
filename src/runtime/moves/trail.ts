/** The addresses of a resource before its moves, while its record and children must still follow it. */
import type { LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { LaneAddress } from "../../model/observation.ts";
import { nextAddress } from "../../model/tombstone.ts";
import type { LaneSummary, StoreTransaction } from "../../store/store.ts";

export interface Trail {
  /** The addresses in the order in which the resource left them. */
  readonly places: readonly LaneAddress[];
  /** The lanes left behind at these addresses. */
  readonly lanes: readonly { readonly id: LaneId; readonly recordId: string | null }[];
}

/** Finds a resource's trail from its first address on: each lane left behind names the next address. */
export async function findTrail(
  tx: StoreTransaction,
  lane: Pick<Lane, "connectionId" | "resourceType" | "moved"> & { readonly externalId: string },
): Promise<Trail> {
  const here = { connection: lane.connectionId, externalId: lane.externalId };
  const places: LaneAddress[] = [];
  const lanes: Trail["lanes"][number][] = [];
  for (let next = lane.moved; next !== null;) {
    const place: LaneAddress = next;
    if ([...places, here].some((one) => isSamePlace(one, place))) break;
    places.push(place);
    const { connection, externalId } = place;
    const [left] = await tx.findLanes({
      kind: "of_resources",
      connectionId: connection,
      resourceType: lane.resourceType,
      externalIds: [externalId],
    });
    if (left === undefined) break;
    lanes.push({ id: left.id, recordId: left.recordId });
    next = nextAddress(left.tombstone);
  }
  return { places, lanes };
}

/** The lanes of children at the addresses of a trail. */
export async function lanesBelow(
  tx: StoreTransaction,
  places: readonly LaneAddress[],
  { resource }: Mapping,
): Promise<readonly LaneSummary[]> {
  const result: LaneSummary[] = [];
  for (const { connection, externalId } of places) {
    result.push(
      ...(await tx.findLanes({
        kind: "children",
        connectionId: connection,
        resourceType: resource.type,
        parentExternalId: externalId,
      })),
    );
  }
  return result;
}

export function isSamePlace(one: LaneAddress, other: LaneAddress): boolean {
  return one.connection === other.connection && one.externalId === other.externalId;
}
