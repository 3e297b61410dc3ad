/** Finds what an earlier create has made, by listing: a search index lags behind by minutes. */
import { saysWhatWasSent } from "../engine/tokenless.ts";
import type { OutboundStep } from "../engine/outbound.ts";
import type { Content } from "../model/content.ts";
import { addMillis } from "../model/instant.ts";
import type { Lane } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";
import type { AddressBook, Contact } from "./address-book.ts";
import { type Claimed, hold } from "./claim.ts";
import type { Services } from "./services.ts";
import { isIn } from "./tokenless-creates.ts";

/** The provider's clock may be behind ours by this much without our knowing. */
const CLOCK_ALLOWANCE_MS = 5 * 60_000;

/**
 * The resource of ours that carries the token, or else one that says what left without it and is
 * nobody's; `null` where there is none. The lowest id wins where there are two; what somebody else
 * wrote is a copy.
 */
export async function findCreated(
  services: Services,
  contact: Contact,
  claimed: Claimed,
  sought: Extract<OutboundStep, { kind: "find" }>,
  book: AddressBook,
  signal: AbortSignal,
): Promise<Observation | null> {
  const lane = await services.store.transaction(async (tx) => (await hold(tx, claimed))?.lane);
  if (lane?.intent === undefined || lane.intent === null) return null;
  const since = addMillis(lane.intent.since, -CLOCK_ALLOWANCE_MS);
  const identity = await services.gateway.identity(contact.account);
  const client = services.gateway.container(contact);
  const ours: Observation[] = [];
  const pages = client.list({ type: lane.resourceType, since, etag: null }, signal);
  for await (const page of pages) {
    ours.push(
      ...page.observations.filter(({ author }) => author === null || author.id === identity.id),
    );
  }
  const found = ours.filter(({ token }) => token === sought.token);
  return lowest(found) ?? lowest(await findByContent(services, lane, sought, ours, book));
}

async function findByContent(
  services: Services,
  lane: Lane,
  { tokenless, parent }: Extract<OutboundStep, { kind: "find" }>,
  ours: readonly Observation[],
  book: AddressBook,
): Promise<readonly Observation[]> {
  const mapping = book.mapping(lane);
  if (tokenless.length === 0 || mapping === null) return [];
  const says = (content: Content) =>
    tokenless.some((sent) => saysWhatWasSent(content, sent, mapping));
  const alike = ours.filter(
    (one) => one.token === null && isIn(parent, one.parent) && says(one.content ?? {}),
  );
  const ids = alike.map(({ externalId }) => externalId);
  return services.store.transaction(async (tx) => {
    const known = await tx.findLanesByResource(lane.connectionId, lane.resourceType, ids);
    const lanes = await tx.lockLanes(known.map(({ id }) => id));
    // What has a lane is somebody's, unless it waits there for this create among others.
    const taken = lanes.filter(({ awaitingIntent }) => awaitingIntent === null);
    const takenIds = new Set(taken.map(({ externalId }) => externalId));
    return alike.filter(({ externalId }) => !takenIds.has(externalId));
  });
}

function lowest(found: readonly Observation[]): Observation | null {
  const [first] = [...found].sort(
    (a, b) => a.externalId.length - b.externalId.length || (a.externalId < b.externalId ? -1 : 1),
  );
  return first ?? null;
}
