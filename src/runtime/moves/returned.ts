/**
 * Resources that were out of reach and returned to a connected container without a webhook. The provider redirects
 * their old address, so the lanes that are out of reach are read there.
 *
 *   1  a poll that shows an unknown resource           `followReturned`, before the poll makes a record of it
 *   2  the sweep of the connection that they left      `findReturned`, with the lanes of `awayLanes`
 */
import { placeFromText } from "../../engine/lifecycle/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import { addMillis } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Observation, ResourceMove } from "../../model/observation.ts";
import { placeOutOfReach } from "../../model/tombstone.ts";
import type { FoundLane } from "../../store/store.ts";
import { identifyArrivals } from "../admission/index.ts";
import { readOrAbsent } from "../records/index.ts";
import { type Contact, DirectorySnapshot, type Services } from "../services/index.ts";
import { mappingOfResource } from "../settings/index.ts";
import { followMove } from "./follow-moves.ts";

/** How many lanes are read for one page of a poll. The next sweep reads more. */
const READS_OF_POLL = 50;

/** The provider's clock and ours may differ by this much. */
const CLOCKS_DIFFER_MS = 10 * 60_000;

/** The lane of a resource that is out of reach. */
export type AwayLane = FoundLane<{ readonly kind: "out_of_reach" }>;

/** Follows the unknown resources of a page that were out of reach, so that they do not get a second record. */
export async function followReturned(
  services: Services,
  contact: Contact,
  observations: readonly Observation[],
  signal?: AbortSignal,
): Promise<void> {
  const { integration, containerId } = contact.connection;
  const expected = new Set<string>();
  const book = await DirectorySnapshot.open(services);
  const unknown = await unknownAmong(services, contact, observations);
  const [first] = unknown;
  const mapping = first === undefined ? null : mappingOfResource(services, integration, first.type);
  if (mapping === null) return;
  for (const { externalId } of unknown) expected.add(externalId);
  const oldest = Math.min(...unknown.map(({ createdAt }) => createdAt ?? 0));
  const contacts = book.contacts.filter(
    ({ connection, account }) =>
      connection.integration === integration && account.state === "active",
  );
  for (const lane of await awayLanes(services, contacts, mapping, READS_OF_POLL)) {
    if (expected.size === 0) return;
    // A resource that was created after the lane's had left is another one.
    if (addMillis(lane.tombstone.at, CLOCKS_DIFFER_MS) < oldest) continue;
    const move = await findOrSkip(services, lane, mapping, book, signal);
    if (move === null) continue;
    const known = { integration, move, source: "reread", deliveryId: null } as const;
    await services.store.transaction((tx) => followMove(tx, known, book, services));
    if (move.to.containerId === containerId) expected.delete(move.to.externalId);
  }
}

/** Lanes of connections whose resources are out of reach and whose records are present, the latest first. */
export function awayLanes(
  services: Services,
  contacts: readonly Contact[],
  { resource: { type: resourceType, parent } }: Mapping,
  limit: number,
): Promise<readonly AwayLane[]> {
  // Children follow their parent.
  if (parent !== null) return Promise.resolve([]);
  const connectionIds = contacts.map(({ connection }) => connection.id);
  return services.store.transaction((tx) =>
    tx.findLanes({ kind: "out_of_reach", connectionIds, resourceType, limit }),
  );
}

/**
 * Reads a resource that is out of reach at its old address. Returns its move from there to the first connected
 * container that the redirects name, or `null` if they name none.
 *
 * @throws IntegrationError if the read fails for another reason than a deletion.
 */
export async function findReturned(
  services: Services,
  { externalId, connectionId, tombstone }: AwayLane,
  mapping: Mapping,
  book: DirectorySnapshot,
  signal?: AbortSignal,
): Promise<ResourceMove | null> {
  const contact = book.contact(connectionId);
  const away = placeOutOfReach(tombstone);
  if (contact === null || away === null) return null;
  const seen = await readOrNowhere(services, contact, mapping, externalId, signal);
  if (seen === "absent" || !("to" in seen)) return null;
  const { integration } = contact.connection;
  const to = [seen.to, ...(seen.further ?? [])].find(
    ({ containerId }) => book.ofContainer(integration, containerId).length > 0,
  );
  if (to === undefined) return null;
  return { type: mapping.resource.type, from: placeFromText(away), to, seen: null };
}

/** As `readOrAbsent`. A redirect to a place that the account may no longer read says nothing new. */
async function readOrNowhere(...asked: Parameters<typeof readOrAbsent>) {
  try {
    return await readOrAbsent(...asked);
  } catch (error) {
    const cause = error instanceof IntegrationError ? error.cause : null;
    if (cause instanceof IntegrationError && cause.moved !== null) return "absent";
    throw error;
  }
}

/** As `findReturned`. A connection that is refused must not stop the poll of another one. */
async function findOrSkip(
  ...[services, lane, ...asked]: Parameters<typeof findReturned>
): Promise<ResourceMove | null> {
  try {
    return await findReturned(services, lane, ...asked);
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error;
    if (error.kind === "retryable" || error.kind === "rate_limited") throw error;
    return null;
  }
}

/** The resources of a page that have no lane and no parent. */
async function unknownAmong(
  services: Services,
  contact: Contact,
  observations: readonly Observation[],
): Promise<readonly Observation[]> {
  const items = observations.flatMap((observation) => {
    const { integration } = contact.connection;
    const mapping = mappingOfResource(services, integration, observation.type);
    if (mapping?.resource.parent !== null) return [];
    const arrival = { observation, source: "poll", deliveryId: null, verifiedAt: null } as const;
    return [{ contact, mapping, arrival }];
  });
  if (items.length === 0) return [];
  const identified = await services.store.transaction((tx) => identifyArrivals(tx, items));
  return identified.flatMap(({ item, identification }) =>
    identification.kind === "new" ? [item.arrival.observation] : [],
  );
}
