/**
 * The id sweep: what neither webhooks nor polls can tell. It lists everything, asks by id for each
 * resource that the list no longer has, and closes surplus resources of our own.
 */
import { queueRemoval } from "../engine/record-change.ts";
import { noteSurplus } from "../engine/surplus.ts";
import { IntegrationError } from "../integrations/integration.ts";
import type { LaneId } from "../model/ids.ts";
import { addMillis } from "../model/instant.ts";
import type { Mapping } from "../model/mapping.ts";
import type { Observation } from "../model/observation.ts";
import { AddressBook, type Contact } from "./address-book.ts";
import { admitArrivals } from "./admit-arrivals.ts";
import { messageOf } from "./failures.ts";
import type { Services } from "./services.ts";

const PAGE = 500;

export interface SweepSummary {
  readonly listed: number;
  /** Resources found deleted. */
  readonly deleted: number;
  /** Surplus resources of ours that were closed. */
  readonly closed: number;
}

/** Sweeps every connection whose turn it is. */
export async function sweepDue(
  services: Services,
  sweepMillis: number,
  signal?: AbortSignal,
): Promise<number> {
  const book = await AddressBook.open(services);
  const { now } = await services.store.ledger.nextDue();
  const due = book.contacts.filter(
    ({ connection, account }) =>
      connection.inbound &&
      account.state === "active" &&
      connection.polledAt !== null &&
      addMillis(connection.sweptAt ?? connection.polledAt, sweepMillis) <= now,
  );
  for (const contact of due) {
    try {
      await sweepConnection(services, contact, signal);
    } catch (thrown) {
      if (signal?.aborted === true) return 0;
      const { id, containerName } = contact.connection;
      services.log.warn(
        { connection: id, container: containerName, error: messageOf(thrown) },
        "a sweep failed; it is repeated with the next cycle",
      );
      await services.store.directory.updateConnection(id, { sweptAt: now });
    }
  }
  return due.length;
}

/** Sweeps one connection through. */
export async function sweepConnection(
  services: Services,
  contact: Contact,
  signal?: AbortSignal,
): Promise<SweepSummary> {
  const { connection } = contact;
  await services.gateway.identity(contact.account);
  const totals = { listed: 0, deleted: 0, closed: 0 };
  const mappings = services.mappings.filter(
    (mapping) => mapping.integration === connection.integration,
  );
  for (const mapping of mappings) {
    const listed = await listAll(services, contact, mapping, signal);
    totals.listed += listed.length;
    totals.closed += await closeSurplus(services, contact, mapping, listed, signal);
    const present = new Set(listed.map((observation) => observation.externalId));
    const { living, deleted } = await confirmAbsent(services, contact, mapping, present, signal);
    totals.deleted += deleted;
    await removeOutlived(services, contact, mapping, listed, living);
  }
  const { now } = await services.store.ledger.nextDue();
  await services.store.directory.updateConnection(connection.id, { sweptAt: now });
  return totals;
}

/** Lists everything and admits it: what a lost webhook said is repaired on the way. */
async function listAll(
  services: Services,
  contact: Contact,
  mapping: Mapping,
  signal?: AbortSignal,
): Promise<readonly Observation[]> {
  const all: Observation[] = [];
  const client = services.gateway.container(contact);
  const query = { type: mapping.resource.type, since: null, etag: null };
  for await (const page of client.list(query, signal)) {
    all.push(...page.observations);
    const book = await AddressBook.open(services);
    await services.store.transaction((tx) =>
      admitArrivals(
        tx,
        page.observations.map((observation) => ({
          contact,
          arrival: { observation, source: "poll", deliveryId: null, verifiedAt: null },
        })),
        book,
        services,
      ),
    );
  }
  return all;
}

/** Closes what carries a token of ours, was written by us, and is not what the record is bound to. */
async function closeSurplus(
  services: Services,
  contact: Contact,
  mapping: Mapping,
  listed: readonly Observation[],
  signal?: AbortSignal,
): Promise<number> {
  const identity = await services.gateway.identity(contact.account);
  const ours = listed.filter(
    (observation) =>
      observation.token !== null &&
      observation.author?.id === identity.id &&
      observation.content?.state !== "closed",
  );
  if (ours.length === 0) return 0;
  const tokens = ours.flatMap((observation) => observation.token ?? []);
  const lanes = await services.store.transaction((tx) =>
    tx.findLanesByToken(contact.connection.id, mapping.resource.type, [...new Set(tokens)]),
  );
  const client = services.gateway.container(contact);
  let closed = 0;
  for (const observation of ours) {
    const lane = lanes.find((candidate) => candidate.token === observation.token);
    const bound = lane?.externalId ?? null;
    if (lane === undefined || bound === null || bound === observation.externalId) continue;
    await removeSurplus(client, observation, bound, signal);
    await noteRemoved(services, lane.id, observation);
    closed += 1;
  }
  return closed;
}

async function removeSurplus(
  client: ReturnType<Services["gateway"]["container"]>,
  observation: Observation,
  bound: string,
  signal?: AbortSignal,
): Promise<void> {
  if (observation.parent !== null) {
    await client.delete(observation, signal);
    return;
  }
  const why = `Created twice by an interrupted request; its counterpart is #${bound}.`;
  await client.close(observation, why, signal);
}

async function noteRemoved(
  services: Services,
  id: LaneId,
  observation: Observation,
): Promise<void> {
  const book = await AddressBook.open(services);
  await services.store.transaction(async (tx) => {
    const lanes = await tx.lockLanes([id]);
    const arrival = { observation, source: "reread", deliveryId: null, verifiedAt: null } as const;
    await tx.saveLanes(
      lanes.map((before) => ({
        before,
        after: noteSurplus(before, arrival, book.context(before, tx.now)),
      })),
    );
  });
}

interface BoundLane {
  readonly id: LaneId;
  readonly externalId: string;
}

/** Asks by id for each bound resource that was not listed: only a clear answer deletes. */
async function confirmAbsent(
  services: Services,
  contact: Contact,
  mapping: Mapping,
  present: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<{ readonly living: ReadonlySet<string>; readonly deleted: number }> {
  const living = new Set<string>();
  let after: LaneId | null = null;
  let deleted = 0;
  for (;;) {
    const cursor: LaneId | null = after;
    const lanes: readonly BoundLane[] = await services.store.transaction((tx) =>
      tx.findBoundLanes(contact.connection.id, mapping.resource.type, cursor, PAGE),
    );
    for (const lane of lanes) {
      living.add(lane.externalId);
      if (present.has(lane.externalId)) continue;
      if (await isAbsent(services, contact, mapping, lane.externalId, signal)) {
        await admitAbsent(services, contact, mapping, lane.externalId);
        deleted += 1;
      }
    }
    const last = lanes.at(-1);
    if (last === undefined || lanes.length < PAGE) return { living, deleted };
    after = last.id;
  }
}

/**
 * Removes what has outlived its record: a create of ours that landed after the record's deletion had
 * found nothing to remove. What was removed once is left alone, for then somebody has reopened it.
 */
async function removeOutlived(
  services: Services,
  { connection }: Contact,
  mapping: Mapping,
  listed: readonly Observation[],
  living: ReadonlySet<string>,
): Promise<void> {
  if (mapping.onRecordDeleted === "detach") return;
  const candidates = listed
    .filter(({ content }) => content?.state !== "closed")
    .flatMap(({ externalId }) => (living.has(externalId) ? [] : [externalId]));
  if (candidates.length === 0) return;
  const book = await AddressBook.open(services);
  await services.store.transaction(async (tx) => {
    const found = await tx.findLanesByResource(connection.id, mapping.resource.type, candidates);
    const lanes = await tx.lockLanes(found.map(({ id }) => id));
    const outlived = lanes.filter(
      ({ lastSent }) => lastSent?.kind !== "close" && lastSent?.kind !== "delete",
    );
    await tx.saveLanes(
      outlived.map((before) => ({
        before,
        after: queueRemoval(before, book.context(before, tx.now)),
      })),
    );
  });
}

/**
 * The list was complete, so we have access: a 404 by id now means that the resource is gone. One that
 * lives and is not listed has become what lists leave out, and nobody told what changed in it since.
 */
async function isAbsent(
  services: Services,
  contact: Contact,
  mapping: Mapping,
  externalId: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const client = services.gateway.container(contact);
    const observation = await client.read({ type: mapping.resource.type, externalId }, signal);
    const arrival = { observation, source: "poll", deliveryId: null, verifiedAt: null } as const;
    const book = await AddressBook.open(services);
    await services.store.transaction((tx) =>
      admitArrivals(tx, [{ contact, arrival }], book, services),
    );
    return false;
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error;
    if (error.kind === "gone" || error.kind === "not_found") return true;
    throw error;
  }
}

async function admitAbsent(
  services: Services,
  contact: Contact,
  mapping: Mapping,
  externalId: string,
): Promise<void> {
  const book = await AddressBook.open(services);
  await services.store.transaction(async (tx) => {
    const observation: Observation = {
      type: mapping.resource.type,
      externalId,
      action: "delete",
      updatedAt: tx.now,
      content: null,
      display: {},
      parent: null,
      token: null,
      author: null,
    };
    const arrival = { observation, source: "reread", deliveryId: null, verifiedAt: null } as const;
    await admitArrivals(tx, [{ contact, arrival }], book, services);
  });
}
