/**
 * Moves out of reach and back that are reported in the wrong order. If the return is reported first, the new lane
 * keeps the address that the resource came from (`cameFrom`). The late report of the departure then leads to that
 * lane.
 */
import { placeText } from "../../engine/lifecycle/index.ts";
import { unchanged } from "../../engine/lane/index.ts";
import type { ResourceMove } from "../../model/observation.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { DirectorySnapshot, Contact } from "../services/index.ts";
import { LaneMovedError } from "../admission/index.ts";

/** Extends a move out of reach to the connection that the resource has returned to; `null` if that is not known. */
export async function goneOn(
  tx: StoreTransaction,
  integration: string,
  move: ResourceMove,
  book: DirectorySnapshot,
): Promise<ResourceMove | null> {
  const { type, seen } = move;
  for (const lane of await tx.findLanes({
    kind: "came_from",
    resourceType: type,
    place: placeText(move.to),
  })) {
    const { externalId, display } = lane;
    const connection = book.contact(lane.connectionId)?.connection;
    if (connection?.integration !== integration) continue;
    const to = { containerId: connection.containerId, externalId };
    return { ...move, to, seen: seen === null ? null : { ...seen, externalId, display } };
  }
  return null;
}

/** Notes the origin of a resource that came from out of reach, while its departure is not reported yet. */
export async function noteOrigin(
  tx: StoreTransaction,
  { type, from, to }: ResourceMove,
  contacts: readonly Contact[],
): Promise<void> {
  const cameFrom = placeText(from);
  const present = [];
  for (const { connection } of contacts) {
    present.push(
      ...(await tx.findLanes({
        kind: "of_resources",
        connectionId: connection.id,
        resourceType: type,
        externalIds: [to.externalId],
      })),
    );
  }
  const lanes = await tx.lockLanes(present.map(({ id }) => id));
  await tx.saveLanes(
    lanes.map((before) => ({ before, after: unchanged({ ...before, cameFrom }) })),
  );
}

/**
 * Serialises a departure and a return at one address, before either is saved: two concurrent transactions would not
 * see each other. The second waits for the first, checks again, and is retried if it finds the other.
 */
export async function expectNobody(
  tx: StoreTransaction,
  type: string,
  place: string,
  look: () => Promise<boolean>,
): Promise<void> {
  await tx.holdPlace(type, place);
  if (await look()) throw new LaneMovedError(`${type} ${place} was told of meanwhile`);
}
