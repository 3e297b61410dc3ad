/**
 * What went where nothing is connected and came back may be told of in the wrong order. Then the lane
 * that it got keeps where it came from, and who is told late that it went there goes on to that lane.
 */
import { placeText } from "../../engine/lifecycle/index.ts";
import { unchanged } from "../../engine/lane/index.ts";
import type { ResourceMove } from "../../model/observation.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { AddressBook, Contact } from "../services/index.ts";
import { LaneMovedError } from "../admission/index.ts";

/** A move out of reach, as one to where its resource has come from there; `null` where that is not known. */
export async function goneOn(
  tx: StoreTransaction,
  integration: string,
  move: ResourceMove,
  book: AddressBook,
): Promise<ResourceMove | null> {
  const { type, seen } = move;
  for (const lane of await tx.findLanesFrom(type, placeText(move.to))) {
    const { externalId, display } = lane;
    const connection = book.contact(lane.connectionId)?.connection;
    if (connection?.integration !== integration) continue;
    const to = { containerId: connection.containerId, externalId };
    return { ...move, to, seen: seen === null ? null : { ...seen, externalId, display } };
  }
  return null;
}

/** Of what came from out of reach, and nobody was heard of who went there: that may be told later. */
export async function noteOrigin(
  tx: StoreTransaction,
  { type, from, to }: ResourceMove,
  contacts: readonly Contact[],
): Promise<void> {
  const cameFrom = placeText(from);
  const present = [];
  for (const { connection } of contacts) {
    present.push(...(await tx.findLanesByResource(connection.id, type, [to.externalId])));
  }
  const lanes = await tx.lockLanes(present.map(({ id }) => id));
  await tx.saveLanes(
    lanes.map((before) => ({ before, after: unchanged({ ...before, cameFrom }) })),
  );
}

/**
 * Before who goes out of reach, or came from there, is saved: told at once, each would find nobody. Who is
 * second waits for the first, looks again, and begins anew.
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
