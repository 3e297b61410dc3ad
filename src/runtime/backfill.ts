/**
 * The backfill: everything that exists on both sides of a connection, once, in steps that any worker
 * can take. Where it is, is written with what each step did, so that a killed process loses no more
 * than the step it was at.
 */
import { bulkRequestAt, bulkWriteAt } from "../engine/budget.ts";
import { newEvent } from "../engine/new-event.ts";
import { bear, unchanged } from "../engine/transition.ts";
import { type Backfill, isPairing } from "../model/backfill.ts";
import type { ConnectionId } from "../model/ids.ts";
import { addMillis, type Instant, laterOf } from "../model/instant.ts";
import type { Mapping } from "../model/mapping.ts";
import type { StoreTransaction } from "../store/store.ts";
import { AddressBook, type Contact } from "./address-book.ts";
import { admitArrivals } from "./admit-arrivals.ts";
import { classify, messageOf, tell } from "./failures.ts";
import { indexRecords, indexResources, pairKeys } from "./pair-existing.ts";
import { mappingOfResource, type Services } from "./services.ts";
import { parentOf, unpairedRecords } from "./unpaired-records.ts";

/** How long a worker has a backfill for one step; a request takes less. */
const LEASE_MS = 60_000;
/** How long it waits after a failure. */
const AFTER_FAILURE_MS = 30_000;
/** Events of it that may wait at once: an edit that comes meanwhile stands behind so many. */
const INBOUND_BACKLOG = 300;
const OUTBOUND_BACKLOG = 20;
const CREATED_AT_ONCE = 10;
/** Records looked at for these. */
const LOOKED_AT = 200;
const PAGE_SIZE = 100;

/** What became of a step. */
export type Progress =
  | { readonly kind: "went_on"; readonly after: Backfill }
  /** It is not due, another worker has it, or there is none. */
  | { readonly kind: "waits" };

/** Begins a backfill of every mapped type of a connection, or goes on with one that is under way. */
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

/** Takes one step of every backfill that is due; returns how many went on. */
export async function advanceBackfills(services: Services, signal?: AbortSignal): Promise<number> {
  const open = (await services.store.directory.backfills()).filter(
    ({ finishedAt }) => finishedAt === null,
  );
  if (open.length === 0) return 0;
  const book = await AddressBook.open(services);
  let wentOn = 0;
  for (const { connectionId, resourceType } of open) {
    const contact = book.contact(connectionId);
    if (contact === null || !mayWork(contact)) continue;
    try {
      const progress = await advanceBackfill(services, contact, resourceType, signal);
      if (progress.kind === "went_on") wentOn += 1;
    } catch (thrown) {
      if (signal?.aborted === true) return wentOn;
      services.log.warn(
        { connection: connectionId, type: resourceType, ...tell(thrown) },
        "a step of a backfill failed; it is repeated",
      );
    }
  }
  return wentOn;
}

/**
 * Takes the next step of one backfill.
 *
 * @throws what the step threw; when it is tried again is noted first.
 */
export async function advanceBackfill(
  services: Services,
  contact: Contact,
  resourceType: string,
  signal?: AbortSignal,
): Promise<Progress> {
  const { connection } = contact;
  const mapping = mappingOfResource(services, connection.integration, resourceType);
  if (mapping === null || (await waitsForParent(services, connection.id, mapping))) {
    return { kind: "waits" };
  }
  const claimed = await services.store.transaction((tx) =>
    tx.backfills.claim(connection.id, resourceType, addMillis(tx.now, LEASE_MS)),
  );
  if (claimed === null) return { kind: "waits" };
  const step = { services, contact, mapping, claimed, ...(signal && { signal }) };
  try {
    return await takeStep(step);
  } catch (thrown) {
    if (signal?.aborted !== true) await noteFailure(step, thrown);
    throw thrown;
  }
}

interface Step {
  readonly services: Services;
  readonly contact: Contact;
  readonly mapping: Mapping;
  readonly claimed: Backfill;
  readonly signal?: AbortSignal;
}

async function takeStep(step: Step): Promise<Progress> {
  switch (step.claimed.step) {
    case "list":
      return listPage(step);
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

/** The list's next page, admitted together with where the list goes on. */
async function listPage(step: Step): Promise<Progress> {
  const { services, contact, mapping, claimed, signal } = step;
  const paused = await notBefore(step, INBOUND_BACKLOG);
  if (paused !== null) return paused;
  const { type } = mapping.resource;
  const query = { type, since: null, etag: null, cursor: claimed.cursor };
  for await (const page of services.gateway.container(contact).list(query, signal)) {
    // Before the transaction: PGlite has one session, and the directory would wait for it.
    const book = await AddressBook.open(services);
    const progress = await inOneTransaction(step, async (tx) => {
      const arrivals = page.observations.map((observation) => ({
        contact,
        arrival: { observation, source: "backfill", deliveryId: null, verifiedAt: null } as const,
      }));
      await admitArrivals(tx, arrivals, book, services);
      const listed = claimed.progress.listed + page.observations.length;
      const latest = page.observations.reduce<Instant | null>(
        (at, { updatedAt }) => laterOf(at, updatedAt),
        claimed.progress.latest,
      );
      const expected = page.pagesLeft === null ? null : listed + page.pagesLeft * PAGE_SIZE;
      const after: Backfill = {
        ...claimed,
        cursor: page.cursor,
        progress: { ...claimed.progress, listed, latest, expected, waitsFor: null },
      };
      return page.last ? afterListing(after, tx.now) : after;
    });
    if (page.last) await noteListed(services, progress.after);
    return progress;
  }
  return { kind: "waits" };
}

/** From here on polls go on: they ask for what was updated since. */
async function noteListed(
  services: Services,
  { connectionId, resourceType, progress: { latest } }: Backfill,
): Promise<void> {
  const connection = (await AddressBook.open(services)).contact(connectionId)?.connection;
  const known = connection?.highWater ?? {};
  const at = laterOf(known[resourceType] ?? null, latest);
  if (at === null) return;
  const highWater = { ...known, [resourceType]: at };
  await services.store.directory.updateConnection(connectionId, { highWater });
}

function afterListing(listed: Backfill, now: Instant): Backfill {
  const progress = { ...listed.progress, expected: listed.progress.listed };
  const next = { ...listed, cursor: null, progress };
  if (listed.pairs) return { ...next, step: "index_records" };
  return listed.creates ? { ...next, step: "create" } : finished(next, now);
}

/** Where pairing has ended, what waited for it goes on. */
async function afterPairing(
  { contact, mapping }: Step,
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

/** Records that are left get a resource each, a few at a time. */
async function createCounterparts(step: Step): Promise<Progress> {
  const { services, contact, mapping, claimed } = step;
  const paused = await notBefore(step, OUTBOUND_BACKLOG);
  if (paused !== null) return paused;
  const book = await AddressBook.open(services);
  return inOneTransaction(step, async (tx) => {
    const limit = mapping.parent === null ? LOOKED_AT : CREATED_AT_ONCE;
    const found = await unpairedRecords(services, tx, contact, mapping, claimed.cursor, limit);
    const ids = found.records.map(({ key }) => key.recordId);
    const { id, integration } = contact.connection;
    const ambiguous = await tx.backfills.ambiguousRecords(id, mapping.resource.type, ids);
    const all = found.records
      .filter(({ key }) => !ambiguous.has(key.recordId))
      .map(({ key }) => key);
    // Children are found by their parents, so a step takes all of a parent's.
    const keys = mapping.parent === null ? all.slice(0, CREATED_AT_ONCE) : all;
    const next = keys.length < all.length ? (keys.at(-1)?.recordId ?? null) : found.next;
    const lanes = await tx.lockLanes(await tx.ensureLanes(keys));
    await tx.saveLanes(
      lanes.map((before) => {
        const context = book.context(before, tx.now);
        const given = { direction: "outbound", action: "upsert", source: "backfill" } as const;
        return { before, after: bear(unchanged(before), newEvent(before, context, given)) };
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

/** Saves what a step led to together with what it did; a step whose claim has passed on did nothing. */
async function inOneTransaction(
  { services, claimed }: Step,
  work: (tx: StoreTransaction) => Promise<Backfill>,
): Promise<Extract<Progress, { kind: "went_on" }>> {
  return services.store.transaction(async (tx) => {
    const after = { ...(await work(tx)), leasedUntil: null };
    if (!(await tx.backfills.save(claimed, after))) throw new BackfillLostError(claimed);
    return { kind: "went_on", after };
  });
}

/** A step took longer than it was claimed for, and another worker has the backfill. */
class BackfillLostError extends Error {
  override readonly name = "BackfillLostError";

  constructor({ connectionId, resourceType }: Backfill) {
    super(`another worker has the backfill of ${resourceType} of connection ${connectionId}`);
  }
}

/**
 * Puts the step off where the budget is for others now, or enough of its own work is still waiting.
 *
 * @param backlog so many of its events may wait
 */
async function notBefore(step: Step, backlog: number): Promise<Progress | null> {
  const { services, contact, claimed } = step;
  const { account, connection } = contact;
  return services.store.transaction(async (tx) => {
    const runAt = bulkRequestAt(account.budget, tx.now);
    const isEarly = runAt > tx.now;
    if (!isEarly && (await tx.backfills.backlog(connection.id, backlog)) < backlog) return null;
    const waitsFor = isEarly
      ? "the account's budget: interactive edits go first"
      : "its own events that are being worked on";
    const progress = { ...claimed.progress, waitsFor };
    await tx.backfills.save(claimed, { ...claimed, runAt, leasedUntil: null, progress });
    return { kind: "waits" };
  });
}

async function noteFailure({ services, contact, claimed }: Step, thrown: unknown): Promise<void> {
  const { now } = await services.store.ledger.nextDue();
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
 * What is below others waits: to be paired, until these are; to be created, until these have their
 * resources.
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

function finished(backfill: Backfill, now: Instant): Backfill {
  return { ...backfill, step: "done", cursor: null, finishedAt: now };
}

function mayWork({ connection, account }: Contact): boolean {
  return connection.inbound && connection.outbound && account.state === "active";
}

function mappingsOf(services: Services, integration: string): readonly Mapping[] {
  return services.mappings.filter((mapping) => mapping.integration === integration);
}
