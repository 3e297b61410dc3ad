/**
 * The backfill: visits everything on both sides of a connection once, in steps that any worker can take. Each step
 * saves its cursor in the transaction of its work, so a killed process loses only its present step.
 */
import { bulkWriteAt } from "../../engine/limits/index.ts";
import { addEvent, newEvent, unchanged } from "../../engine/lane/index.ts";
import { type Backfill, isPairing } from "../../model/backfill.ts";
import type { ConnectionId } from "../../model/ids.ts";
import { addMillis } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { type Contact, DirectorySnapshot, type Services } from "../services/index.ts";
import { classify, describeError, messageOf } from "../failures/index.ts";
import { mappingOfResource } from "../settings/index.ts";
import {
  finished,
  inOneTransaction,
  BACKFILL_LEASE_MS,
  mayWork,
  notBefore,
  type Progress,
  type ClaimedBackfill,
} from "./backfill-step.ts";
import { listExisting } from "./list-existing.ts";
import { indexRecords, indexResources, pairKeys } from "./pair-existing.ts";
import { parentOf, unpairedRecords } from "./unpaired-records.ts";

/** How long a backfill waits after a failure. */
const AFTER_FAILURE_MS = 30_000;
/** The number of its events that may wait. An interactive edit is queued behind at most this many. */
const OUTBOUND_BACKLOG = 20;
const CREATED_AT_ONCE = 10;
/** The number of records that one step reads to find them. */
const LOOKED_AT = 200;

/** Opens a backfill of every mapped type of a connection; an open one continues. */
export async function openBackfills(
  services: Services,
  { connection }: Contact,
  creates: boolean,
): Promise<void> {
  await services.store.transaction(async (tx) => {
    for (const { resource, pairBy } of mappingsOf(services, connection.integration)) {
      await tx.backfills.open(connection.id, resource.type, { pairs: pairBy !== null, creates });
    }
  });
}

/**
 * Takes one step of every backfill that is due; returns how many made progress.
 *
 * @param worker The worker's name in the ledger, for events that a step ends itself.
 */
export async function advanceBackfills(
  services: Services,
  signal?: AbortSignal,
  worker = "backfill",
): Promise<number> {
  const open = (await services.store.directory.backfills()).filter(
    ({ finishedAt }) => finishedAt === null,
  );
  if (open.length === 0) return 0;
  const book = await DirectorySnapshot.open(services);
  let wentOn = 0;
  for (const { connectionId, resourceType } of open) {
    const contact = book.contact(connectionId);
    if (contact === null || !mayWork(contact)) continue;
    try {
      const progress = await advanceBackfill(services, contact, resourceType, signal, worker);
      if (progress.kind === "went_on") wentOn += 1;
    } catch (thrown) {
      if (signal?.aborted === true) return wentOn;
      services.log.warn(
        { connection: connectionId, type: resourceType, ...describeError(thrown) },
        "a step of a backfill failed; it is repeated",
      );
    }
  }
  return wentOn;
}

/**
 * Takes the next step of one backfill.
 *
 * @param worker The worker that ends events in the step's own transactions; `null`: all events are queued.
 * @throws The step's error, after the time of the retry was saved.
 */
export async function advanceBackfill(
  services: Services,
  contact: Contact,
  resourceType: string,
  signal?: AbortSignal,
  worker: string | null = null,
): Promise<Progress> {
  const { connection } = contact;
  const mapping = mappingOfResource(services, connection.integration, resourceType);
  if (mapping === null || (await waitsForParent(services, connection.id, mapping))) {
    return { kind: "waits" };
  }
  const claimed = await services.store.transaction((tx) =>
    tx.backfills.claim(connection.id, resourceType, addMillis(tx.now, BACKFILL_LEASE_MS)),
  );
  if (claimed === null) return { kind: "waits" };
  let kept = claimed;
  const step: ClaimedBackfill = {
    ...{ services, contact, mapping, claimed, worker, ...(signal && { signal }) },
    kept(after) {
      kept = after;
    },
  };
  try {
    return await takeStep(step);
  } catch (thrown) {
    if (signal?.aborted !== true) await noteFailure({ ...step, claimed: kept }, thrown);
    throw thrown;
  }
}

async function takeStep(step: ClaimedBackfill): Promise<Progress> {
  switch (step.claimed.step) {
    case "list":
      return listExisting(step);
    case "index_records":
      return inOneTransaction(step, (tx) => indexRecords(step.services, tx, step));
    case "index_resources":
      return inOneTransaction(step, (tx) => indexResources(tx, step));
    case "pair":
      return inOneTransaction(step, async (tx) => afterPairing(step, await pairKeys(tx, step), tx));
    case "create":
      return createCounterparts(step);
    case "done":
      return { kind: "waits" };
  }
}

/** Wakes the events that waited for pairing, once pairing has ended. */
async function afterPairing(
  { contact, mapping }: ClaimedBackfill,
  after: Backfill,
  tx: StoreTransaction,
): Promise<Backfill> {
  if (isPairing(after)) return after;
  const { id } = contact.connection;
  await tx.wakeAwaitingPairing(id, mapping.resource.type);
  if (after.creates) return after;
  await tx.backfills.forgetKeys(id, mapping.resource.type);
  return finished(after, tx.now);
}

/** Queues the creates of resources for the remaining records, a few at a time. */
async function createCounterparts(step: ClaimedBackfill): Promise<Progress> {
  const { services, contact, mapping, claimed } = step;
  const paused = await notBefore(step, OUTBOUND_BACKLOG);
  if (paused !== null) return paused;
  const book = await DirectorySnapshot.open(services);
  return inOneTransaction(step, async (tx) => {
    const limit = mapping.parent === null ? LOOKED_AT : CREATED_AT_ONCE;
    const found = await unpairedRecords(services, tx, contact, mapping, claimed.cursor, limit);
    const ids = found.records.map(({ key }) => key.recordId);
    const { id, integration } = contact.connection;
    const ambiguous = await tx.backfills.ambiguousRecords(id, mapping.resource.type, ids);
    const all = found.records
      .filter(({ key }) => !ambiguous.has(key.recordId))
      .map(({ key }) => key);
    // Children are found by their parents, so a step must take all children of a parent.
    const keys = mapping.parent === null ? all.slice(0, CREATED_AT_ONCE) : all;
    const next = keys.length < all.length ? (keys.at(-1)?.recordId ?? null) : found.next;
    const lanes = await tx.lockLanes(await tx.ensureLanes(keys));
    await tx.saveLanes(
      lanes.map((before) => {
        const context = book.context(before, tx.now);
        const given = { direction: "outbound", action: "upsert", source: "backfill" } as const;
        return { before, after: addEvent(unchanged(before), newEvent(before, context, given)) };
      }),
    );
    const perHour = services.integrations.get(integration)?.writesPerHour ?? null;
    const created = claimed.progress.created + keys.length;
    const after: Backfill = {
      ...claimed,
      cursor: next,
      runAt: bulkWriteAt(perHour, keys.length, tx.now),
      progress: { ...claimed.progress, created, waitsFor: null },
    };
    if (next !== null) return after;
    await tx.backfills.forgetKeys(id, mapping.resource.type);
    return finished(after, tx.now);
  });
}

async function noteFailure(
  { services, contact, claimed }: ClaimedBackfill,
  thrown: unknown,
): Promise<void> {
  const now = await services.store.ledger.now();
  const { account: consequence } = classify(thrown, now);
  await services.store.transaction((tx) =>
    tx.backfills.save(claimed, {
      ...claimed,
      runAt: consequence?.until ?? addMillis(now, AFTER_FAILURE_MS),
      leasedUntil: null,
      progress: { ...claimed.progress, waitsFor: messageOf(thrown) },
    }),
  );
  if (consequence === null) return;
  await services.store.directory.updateAccount(contact.account.id, {
    state: consequence.state,
    reason: consequence.reason,
    pausedUntil: consequence.until,
  });
}

/**
 * Whether a child type must wait: it is paired after its parent type is paired, and created after the parents have
 * their resources.
 */
async function waitsForParent(
  services: Services,
  connection: ConnectionId,
  mapping: Mapping,
): Promise<boolean> {
  const parent = parentOf(services, mapping);
  if (parent === null) return false;
  const all = (await services.store.directory.backfills()).filter(
    ({ connectionId }) => connectionId === connection,
  );
  const own = all.find(({ resourceType }) => resourceType === mapping.resource.type);
  const above = all.find(({ resourceType }) => resourceType === parent.resource.type);
  if (own === undefined || own.step === "list" || above === undefined) return false;
  if (own.step !== "create") return above.step === "list" || isPairing(above);
  if (above.finishedAt === null) return true;
  return (await services.store.transaction((tx) => tx.backfills.backlog(connection, 1))) > 0;
}

function mappingsOf(services: Services, integration: string): readonly Mapping[] {
  return services.mappings.filter((mapping) => mapping.integration === integration);
}
