/** Finds the resource that an earlier create made, by listing: a search index lags behind by minutes. */
import {
  CLOCK_ALLOWANCE_MS,
  isByItsWriter,
  isMadeBetween,
  isMadeSince,
  type Likeness,
  likenessOf,
  mostAlike,
} from "../../engine/creates/index.ts";
import type { OutboundStep } from "../../engine/processing/index.ts";
import { addMillis } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import { compareExternalIds, type Observation } from "../../model/observation.ts";
import type { DirectorySnapshot, Claimed, Contact, Services } from "../services/index.ts";
import { lockClaimed } from "../claims/index.ts";
import { isIn } from "../admission/index.ts";

/**
 * Finds the resource that carries the token and was written by the account, or by a user under whose token a create
 * was sent. Otherwise finds a resource without a token that has the values sent, was made since, and has no lane:
 * there was no room for the token, or it was edited away (S59). `null` if there is none.
 *
 * The lowest id wins among equal resources; an edited one counts only if it is the only candidate. A resource by any
 * other author is a copy.
 */
export async function findCreated(
  services: Services,
  contact: Contact,
  claimed: Claimed,
  sought: Extract<OutboundStep, { kind: "find" }>,
  book: DirectorySnapshot,
  signal: AbortSignal,
): Promise<Observation | null> {
  const lane = await services.store.transaction(
    async (tx) => (await lockClaimed(tx, claimed))?.lane,
  );
  if (lane?.intent === undefined || lane.intent === null) return null;
  const since = addMillis(lane.intent.since, -CLOCK_ALLOWANCE_MS);
  const identity = await services.gateway.identity(contact.account);
  const client = services.gateway.container(contact);
  const { posted = null } = lane.intent;
  // A restored database lost the knowledge of its creates (S64): their resource has a token that no lane knows.
  const isForgotten = posted === null;
  const likeness = likenessTest(sought, book.mapping(lane));
  const found: Observation[] = [];
  const alike: Alike[] = [];
  const pages = client.list({ type: lane.resourceType, since, etag: null }, signal);
  for await (const page of pages) {
    for (const one of page.observations) {
      const mayBeForgotten = isForgotten && one.token !== null && isMadeSince(one, since);
      if (!isByItsWriter(one, posted, identity) && !mayBeForgotten) continue;
      if (one.token === sought.token) found.push(one);
      if (one.token !== null && !mayBeForgotten) continue;
      if (posted !== null && !isMadeBetween(one, posted)) continue;
      const how = likeness(one);
      if (how !== null) alike.push({ one, likeness: how });
    }
  }
  const byToken = lowest(found);
  if (byToken !== null) return byToken;
  const free = await nobodys(services, lane, alike);
  return mostAlike(free);
}

interface Alike {
  readonly one: Observation;
  readonly likeness: Likeness;
}

/** How a resource resembles the values that were sent. */
function likenessTest(
  { sent, parent }: Extract<OutboundStep, { kind: "find" }>,
  mapping: Mapping | null,
): (one: Observation) => Likeness | null {
  if (mapping === null) return () => null;
  return ({ parent: seen, content }) => {
    if (!isIn(parent, seen)) return null;
    const likenesses = sent.map((values) => likenessOf(content ?? {}, values, mapping));
    return likenesses.find((one) => one === "same") ?? likenesses.find(Boolean) ?? null;
  };
}

async function nobodys(
  services: Services,
  lane: Lane,
  alike: readonly Alike[],
): Promise<readonly Alike[]> {
  if (alike.length === 0) return [];
  const ids = alike.map(({ one }) => one.externalId);
  return services.store.transaction(async (tx) => {
    const known = await tx.findLanes({
      kind: "of_resources",
      connectionId: lane.connectionId,
      resourceType: lane.resourceType,
      externalIds: ids,
    });
    const lanes = await tx.lockLanes(known.map(({ id }) => id));
    const tokens = alike.flatMap(({ one }) => one.token ?? []);
    const ofCreates = await tx.findLanes({
      kind: "of_tokens",
      connectionId: lane.connectionId,
      resourceType: lane.resourceType,
      tokens,
    });
    const knownTokens = new Set<string | null>(ofCreates.map(({ intent }) => intent.token));
    // A resource with a lane belongs to another record, unless that lane is waiting to learn whose create made it.
    const taken = lanes.filter(({ awaitingIntent }) => awaitingIntent === null);
    const takenIds = new Set(taken.map(({ externalId }) => externalId));
    return alike
      .filter(({ one }) => !takenIds.has(one.externalId) && !knownTokens.has(one.token))
      .sort((a, b) => compareExternalIds(a.one.externalId, b.one.externalId));
  });
}

function lowest(found: readonly Observation[]): Observation | null {
  const [first] = [...found].sort((a, b) => compareExternalIds(a.externalId, b.externalId));
  return first ?? null;
}
