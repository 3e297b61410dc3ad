/**
 * What belongs to a resource that was moved, and does not follow it: the resource is out of reach, or its
 * record has ended. It leaves its pairing wherever it is, and comes back with what it belongs to.
 */
import { leaveLane, type MoveNews, placeText } from "../engine/move.ts";
import type { LaneId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { FormerPlace, Lane } from "../model/lane.ts";
import type { Mapping } from "../model/mapping.ts";
import type { Place } from "../model/observation.ts";
import type { Decided, StoreTransaction } from "../store/store.ts";
import type { AddressBook } from "./address-book.ts";
import { placesLeft } from "./places-left.ts";
import type { Services } from "./services.ts";

/** Lanes of what belongs to resources, where they are and where they were: it is still to follow from there. */
export async function childrenAlong(
  tx: StoreTransaction,
  above: readonly (Pick<Lane, "connectionId" | "moved"> & { readonly externalId: string })[],
  mapping: Mapping,
  services: Services,
): Promise<readonly LaneId[]> {
  const places: FormerPlace[] = [];
  for (const { connectionId, externalId, moved } of above) {
    const way = { connectionId, resourceType: mapping.resource.type, externalId, moved };
    places.push(...(await placesLeft(tx, way)).places, { connection: connectionId, externalId });
  }
  return childrenAt(tx, places, mapping, services);
}

async function childrenAt(
  tx: StoreTransaction,
  places: readonly FormerPlace[],
  { integration, resource }: Mapping,
  { mappings }: Services,
): Promise<readonly LaneId[]> {
  const below = mappings.filter(
    (mapping) => mapping.integration === integration && mapping.resource.parent === resource.type,
  );
  const result: LaneId[] = [];
  for (const place of places) {
    for (const mapping of below) {
      const { type } = mapping.resource;
      const children = await tx.findChildLanes(place.connection, type, place.externalId);
      result.push(...children.map(({ id }) => id));
    }
  }
  return result;
}

/** Children that live leave for where the resource went. */
export function leaveAlong(
  children: readonly Lane[],
  to: Place,
  news: MoveNews,
  book: AddressBook,
  now: Instant,
): readonly Decided[] {
  return children
    .filter(({ tombstone }) => tombstone === null)
    .map((child) => {
      const context = book.context(child, now);
      const after = leaveLane(child, placeText(to), { ...news, display: {} }, context);
      return { before: child, after };
    });
}

/** The record has ended before anything had followed: nobody reads what is still where the resource was. */
export async function strandChildren(
  tx: StoreTransaction,
  { connectionId, resourceType, externalId, moved, tombstone }: Lane,
  book: AddressBook,
  services: Services,
): Promise<void> {
  const isEnded = tombstone?.side === "record" && tombstone.recordMoved === undefined;
  if (!isEnded || moved === null || externalId === null) return;
  const contact = book.contact(connectionId);
  const mapping = book.mapping({ connectionId, resourceType });
  if (contact === null || mapping === null) return;
  const way = { connectionId, resourceType, externalId, moved };
  const { places } = await placesLeft(tx, way);
  const ids = await childrenAt(tx, places, mapping, services);
  const to = { containerId: contact.connection.containerId, externalId };
  const news = { source: "reread", deliveryId: null, display: {} } as const;
  const lanes = await tx.lockLanes(ids);
  await tx.saveLanes(leaveAlong(lanes, to, news, book, tx.now));
}
