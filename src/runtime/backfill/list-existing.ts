/**
 * The first step of a backfill: lists and admits everything that exists at the integration.
 *
 * 1. At most two pages are admitted concurrently while one is requested, so memory does not grow with the list.
 * 2. The cursor behind a page is saved after this page and all before it are committed. A killed process lists the
 *    pages in progress again; admitted content is known then, and adds no event.
 * 3. Events that need only the database end in the transaction that admits them. A resource that could be the
 *    counterpart of a record is not among them: it waits to be paired.
 */
import { bulkRequestAt } from "../../engine/limits/index.ts";
import type { ListPage } from "../../integrations/integration.ts";
import type { Backfill } from "../../model/backfill.ts";
import { type Instant, laterOf, MILLISECOND } from "../../model/instant.ts";
import { DirectorySnapshot, type Services } from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import { admitArrivals } from "../admission/index.ts";
import {
  finished,
  inOneTransaction,
  mayWork,
  notBefore,
  type Progress,
  type ClaimedBackfill,
} from "./backfill-step.ts";
import { applyBatchAs } from "../inbound/index.ts";

/** The number of its events that may wait. An interactive edit is queued behind at most this many. */
const INBOUND_BACKLOG = 300;
const PAGE_SIZE = 100;
/** The number of pages under one claim, and its longest time: other backfills have their turn then. */
const PAGES_AT_ONCE = 20;
const AT_ONCE_MS = 2_000;

/** A page that is being admitted. */
interface Admitted {
  readonly page: ListPage;
  /** Resolves after the commit, to the number of the backfill's events that wait then (up to its limit). */
  readonly waiting: Promise<number>;
}

/** Lists and admits the next pages. */
export async function listExisting(step: ClaimedBackfill): Promise<Progress> {
  const { services, contact, mapping, signal } = step;
  const paused = await notBefore(step, INBOUND_BACKLOG);
  if (paused !== null) return paused;
  const began = services.clock.now();
  const { type } = mapping.resource;
  const query = { type, since: null, etag: null, cursor: step.claimed.cursor };
  const pages = services.gateway.container(contact).list(query, signal)[Symbol.asyncIterator]();
  const inFlight: Admitted[] = [];
  let claimed = step.claimed;
  let waiting = 0;
  const noteOldest = async (goesOn: boolean) => {
    const [oldest] = inFlight;
    if (oldest === undefined) return;
    const then = goesOn || inFlight.length > 1 ? "keep" : "give_back";
    waiting = await oldest.waiting;
    inFlight.shift();
    ({ after: claimed } = await noteAdmitted({ ...step, claimed }, oldest.page, then));
    step.kept(claimed);
  };
  try {
    let coming = pages.next();
    for (let taken = 1; ; taken += 1) {
      const next = await coming;
      if (next.done === true) return { kind: "waits" };
      const page = next.value;
      // Open it before the transaction: PGlite has one session, for which the directory would wait.
      const book = await DirectorySnapshot.open(services);
      const isTimely = services.clock.now() - began < AT_ONCE_MS * MILLISECOND;
      const isLast = page.last || taken === PAGES_AT_ONCE || waiting >= INBOUND_BACKLOG;
      const goesOn = !isLast && isTimely && (await mayAskOn(step, book));
      if (goesOn) coming = pages.next();
      // If one of them fails, the others' rejections would be unhandled.
      coming.catch(() => undefined);
      inFlight.push({ page, waiting: admitPage(step, page, book) });
      inFlight.at(-1)?.waiting.catch(() => undefined);
      while (inFlight.length > (goesOn ? 1 : 0)) await noteOldest(goesOn);
      if (!goesOn) return { kind: "went_on", after: claimed };
    }
  } catch (thrown) {
    // Save the cursor behind pages that were admitted before the failure: they need not be listed again.
    while (inFlight.length > 0 && signal?.aborted !== true) await noteOldest(true);
    throw thrown;
  } finally {
    await Promise.allSettled(inFlight.map(({ waiting: committed }) => committed));
    await pages.return?.(undefined);
  }
}

/** Whether the connection may still be listed, and the rate limit is not reserved for other requests. */
async function mayAskOn(
  { services, contact }: ClaimedBackfill,
  book: DirectorySnapshot,
): Promise<boolean> {
  const present = book.contact(contact.connection.id);
  if (present === null || !mayWork(present)) return false;
  // Use the database's clock, like the budget's reset time: this process's clock may be hours off.
  const now = await services.store.ledger.now();
  return bulkRequestAt(present.account.budget, now) <= now;
}

async function admitPage(
  step: ClaimedBackfill,
  page: ListPage,
  book: DirectorySnapshot,
): Promise<number> {
  const { services, contact, worker, signal } = step;
  const arrivals = page.observations.map((observation) => ({
    contact,
    arrival: { observation, source: "backfill", deliveryId: null, verifiedAt: null } as const,
  }));
  const attempt = (who: string | null) =>
    services.store.transaction(async (tx) => {
      await admitArrivals(tx, arrivals, book, services, applyBatchAs(who));
      return tx.backfills.backlog(contact.connection.id, INBOUND_BACKLOG);
    });
  if (worker === null) return attempt(null);
  try {
    return await attempt(worker);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    services.log.warn(describeError(error), "a page of a backfill failed; its events are queued");
    return attempt(null);
  }
}

/** Saves the cursor behind a committed page. */
async function noteAdmitted(
  step: ClaimedBackfill,
  page: ListPage,
  then: "keep" | "give_back",
): Promise<{ readonly after: Backfill }> {
  const { services, claimed } = step;
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
  const noted = await inOneTransaction(
    step,
    (tx) => Promise.resolve(page.last ? afterListing(after, tx.now) : after),
    then,
  );
  if (page.last) await noteListed(services, noted.after);
  return noted;
}

/** Sets the high-water mark, from which polls continue. */
async function noteListed(
  services: Services,
  { connectionId, resourceType, progress: { latest } }: Backfill,
): Promise<void> {
  const connection = (await DirectorySnapshot.open(services)).contact(connectionId)?.connection;
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
