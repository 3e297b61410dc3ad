/**
 * The poll: finds every edit whose webhook was lost. It lists resources that were updated since the latest time it has
 * seen, less an overlap, and admits them like webhooks.
 */
import { restartRetryable } from "../../engine/lane/index.ts";
import type { ListPage } from "../../integrations/integration.ts";
import type { Connection } from "../../model/connection.ts";
import { addMillis, type Instant, laterOf } from "../../model/instant.ts";
import { type Contact, DirectorySnapshot, hurrySweeps, type Services } from "../services/index.ts";
import { classify, describeError } from "../failures/index.ts";
import { mappingOfResource } from "../settings/index.ts";
import { type AdmissionSummary, admitArrivals } from "../admission/index.ts";
import { followReturned } from "../moves/index.ts";
import { advanceBackfill } from "../backfill/index.ts";

/** Polls overlap by this much, because a list is not read at one instant, and clocks differ. */
const OVERLAP_MS = 10 * 60_000;

export interface PollSummary {
  readonly seen: number;
  readonly unchanged: number;
  /** The number of errored events that were restarted. */
  readonly restarted: number;
}

/** Polls one connection completely. */
export async function pollConnection(
  services: Services,
  contact: Contact,
  signal?: AbortSignal,
): Promise<PollSummary> {
  await services.gateway.identity(contact.account);
  const restarted = await restartErrored(services, contact.connection);
  const totals = { seen: 0, unchanged: 0 };
  for (const type of polledTypes(services, contact)) {
    const summary = await pollType(services, contact, type, signal);
    totals.seen += summary.seen;
    totals.unchanged += summary.unchanged;
  }
  const now = await services.store.ledger.now();
  await services.store.directory.updateConnection(contact.connection.id, {
    polledAt: now,
    polledWellAt: now,
    pollError: null,
  });
  return { ...totals, restarted };
}

/** Polls every connection that is due; a failure of one must not delay the others. */
export async function pollDue(
  services: Services,
  pollMillis: number,
  signal?: AbortSignal,
): Promise<number> {
  const book = await DirectorySnapshot.open(services);
  const now = await services.store.ledger.now();
  const due = book.contacts.filter(
    ({ connection, account }) =>
      connection.inbound &&
      (account.pausedUntil === null || account.pausedUntil <= now) &&
      (connection.polledAt === null || addMillis(connection.polledAt, pollMillis) <= now),
  );
  for (const contact of due) {
    try {
      await pollConnection(services, contact, signal);
    } catch (thrown) {
      if (signal?.aborted === true) return 0;
      await notePollFailure(services, contact, thrown);
    }
  }
  return due.length;
}

/** The polled resource types, parents first. */
function polledTypes(services: Services, { connection }: Contact): readonly string[] {
  return services.mappings
    .filter((mapping) => mapping.integration === connection.integration)
    .sort((a, b) => Number(a.parent !== null) - Number(b.parent !== null))
    .map((mapping) => mapping.resource.type);
}

async function pollType(
  services: Services,
  contact: Contact,
  type: string,
  signal?: AbortSignal,
): Promise<Pick<AdmissionSummary, "seen" | "unchanged">> {
  const { connection } = contact;
  const highWater = connection.highWater[type] ?? null;
  if (highWater === null && !(await wasListed(services, contact, type))) {
    return listFirst(services, contact, type, signal);
  }
  const client = services.gateway.container(contact);
  const query = {
    type,
    since: highWater === null ? null : addMillis(highWater, -OVERLAP_MS),
    etag: connection.etags[type] ?? null,
  };
  const totals = { seen: 0, unchanged: 0 };
  let latest: Instant | null = highWater;
  let etag = query.etag;
  for await (const page of client.list(query, signal)) {
    if (page.unchanged) return totals;
    await followReturned(services, contact, page.observations, signal);
    const summary = await admitPage(services, contact, page);
    totals.seen += summary.seen;
    totals.unchanged += summary.unchanged;
    latest = page.observations.reduce<Instant | null>(
      (at, observation) => laterOf(at, observation.updatedAt),
      latest,
    );
    etag = page.etag ?? etag;
  }
  await noteProgress(services, connection, type, latest, etag);
  return totals;
}

/** Whether a backfill has finished. Without a high-water mark it found nothing, so the poll lists everything. */
async function wasListed(
  services: Services,
  { connection }: Contact,
  type: string,
): Promise<boolean> {
  const known = await services.store.directory.backfills();
  return known.some(
    ({ connectionId, resourceType, finishedAt }) =>
      connectionId === connection.id && resourceType === type && finishedAt !== null,
  );
}

/** Lists a type for the first time by a backfill: page by page, within the rate limit's share, and resumable. */
async function listFirst(
  services: Services,
  contact: Contact,
  type: string,
  signal?: AbortSignal,
): Promise<Pick<AdmissionSummary, "seen" | "unchanged">> {
  const { id } = contact.connection;
  const mapping = mappingOfResource(services, contact.connection.integration, type);
  const pairs = mapping !== null && mapping.pairBy !== null;
  await services.store.transaction((tx) => tx.backfills.open(id, type, { pairs, creates: false }));
  let listed = 0;
  for (;;) {
    const progress = await advanceBackfill(services, contact, type, signal);
    if (progress.kind === "waits") return { seen: listed, unchanged: 0 };
    ({ listed } = progress.after.progress);
    if (progress.after.step !== "list") return { seen: listed, unchanged: 0 };
  }
}

async function admitPage(
  services: Services,
  contact: Contact,
  page: ListPage,
): Promise<AdmissionSummary> {
  const book = await DirectorySnapshot.open(services);
  const admitted = await services.store.transaction((tx) =>
    admitArrivals(
      tx,
      page.observations.map((observation) => ({
        contact,
        arrival: {
          observation,
          source: "poll",
          deliveryId: null,
          verifiedAt: null,
        },
      })),
      book,
      services,
    ),
  );
  await hurrySweeps(services, admitted.surplus);
  return admitted;
}

async function noteProgress(
  services: Services,
  connection: Connection,
  type: string,
  latest: Instant | null,
  etag: string | null,
): Promise<void> {
  const book = await DirectorySnapshot.open(services);
  const now = book.contact(connection.id)?.connection ?? connection;
  await services.store.directory.updateConnection(connection.id, {
    ...(latest === null ? {} : { highWater: { ...now.highWater, [type]: latest } }),
    ...(etag === null ? {} : { etags: { ...now.etags, [type]: etag } }),
  });
}

/** Restarts retryable errors at every poll: no other code does, so they would stay errored. */
async function restartErrored(services: Services, connection: Connection): Promise<number> {
  return services.store.transaction(async (tx) => {
    const lanes = await tx.lockLanesInState(connection.id, "errored", 500);
    const decided = lanes.map((before) => ({ before, after: restartRetryable(before, tx.now) }));
    await tx.saveLanes(decided);
    return decided.filter(({ before, after }) => before !== after.lane).length;
  });
}

async function notePollFailure(
  services: Services,
  { connection, account }: Contact,
  thrown: unknown,
): Promise<void> {
  services.log.warn(
    { connection: connection.id, container: connection.containerName, ...describeError(thrown) },
    "a poll failed",
  );
  // A pause begins at the answer that asks for it, which may be long after the poll began.
  const now = await services.store.ledger.now();
  const { account: consequence } = classify(thrown, now);
  // Without `polledAt` the poll would be retried immediately instead of at the next interval.
  await services.store.directory.updateConnection(connection.id, {
    polledAt: now,
    pollError: describeError(thrown).error,
  });
  if (consequence === null) return;
  await services.store.directory.updateAccount(account.id, {
    state: consequence.state,
    reason: consequence.reason,
    pausedUntil: consequence.until,
  });
}
