/** Finds what an earlier create has made, by listing: a search index lags behind by minutes. */
import { addMillis } from "../model/instant.ts";
import type { Observation } from "../model/observation.ts";
import type { Contact } from "./address-book.ts";
import { type Claimed, hold } from "./claim.ts";
import type { Services } from "./services.ts";

/** The provider's clock may be behind ours by this much without our knowing. */
const CLOCK_ALLOWANCE_MS = 5 * 60_000;

/**
 * The resource of ours that carries the token, or `null`. The lowest id wins where there are two;
 * what somebody else wrote is a copy.
 */
export async function findByToken(
  services: Services,
  contact: Contact,
  claimed: Claimed,
  token: string,
  signal: AbortSignal,
): Promise<Observation | null> {
  const lane = await services.store.transaction(async (tx) => (await hold(tx, claimed))?.lane);
  if (lane?.intent === undefined || lane.intent === null) return null;
  const since = addMillis(lane.intent.since, -CLOCK_ALLOWANCE_MS);
  const identity = await services.gateway.identity(contact.account);
  const client = services.gateway.container(contact);
  const found: Observation[] = [];
  const pages = client.list({ type: lane.resourceType, since, etag: null }, signal);
  for await (const page of pages) {
    found.push(
      ...page.observations.filter(
        ({ token: carried, author }) =>
          carried === token && (author === null || author.id === identity.id),
      ),
    );
  }
  const [lowest] = found.sort(
    (a, b) => a.externalId.length - b.externalId.length || (a.externalId < b.externalId ? -1 : 1),
  );
  return lowest ?? null;
}
