/** Finds what an earlier create has made, by listing: a search index lags behind by minutes. */
import { amongAuthors, CLOCK_ALLOWANCE_MS, writtenByUs } from "../engine/identify.ts";
import { saysWhatWasSent } from "../engine/tokenless.ts";
import type { OutboundStep } from "../engine/outbound.ts";
import { addMillis } from "../model/instant.ts";
import type { Lane } from "../model/lane.ts";
import type { Mapping } from "../model/mapping.ts";
import type { Observation } from "../model/observation.ts";
import type { AddressBook, Contact } from "./address-book.ts";
import { type Claimed, hold } from "./claim.ts";
import type { Services } from "./services.ts";
import { isIn } from "./tokenless-creates.ts";

/**
 * The resource of ours (the account's, or an author's under whose token a create left) that carries the
 * token, or else one of the account's that says what left without it and is
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
  const says = contentTest(sought, book.mapping(lane));
  const found: Observation[] = [];
  const alike: Observation[] = [];
  const pages = client.list({ type: lane.resourceType, since, etag: null }, signal);
  for await (const page of pages) {
    for (const one of page.observations) {
      const byUs = writtenByUs(one, identity);
      const byAuthor = amongAuthors(one.author, lane.intent.posted ?? null) !== null;
      if (byUs === false && !byAuthor) continue;
      if (one.token === sought.token) found.push(one);
      // Without the token only the account creates; it may have been an author's once.
      else if (one.token === null && (byUs === true || !byAuthor) && says(one)) alike.push(one);
    }
  }
  return lowest(found) ?? lowest(await nobodys(services, lane, alike));
}

/** Whether a resource says what left without the token. */
function contentTest(
  { tokenless, parent }: Extract<OutboundStep, { kind: "find" }>,
  mapping: Mapping | null,
): (one: Observation) => boolean {
  if (tokenless.length === 0 || mapping === null) return () => false;
  return ({ parent: seen, content }) =>
    isIn(parent, seen) && tokenless.some((sent) => saysWhatWasSent(content ?? {}, sent, mapping));
}

async function nobodys(
  services: Services,
  lane: Lane,
  alike: readonly Observation[],
): Promise<readonly Observation[]> {
  if (alike.length === 0) return [];
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
