/**
 * The first step of a backfill: everything that exists at the integration is listed and admitted.
 *
 * 1. Two pages are admitted at once at most, and one is asked for meanwhile: what is in memory does not
 *    grow with what there is to list.
 * 2. Where the list goes on is noted once a page, and all before it, are committed. A killed process
 *    lists what was under way again; what has been admitted is known then, and no news.
 * 3. Events that need nothing but the database end where they are admitted. What could still be
 *    the counterpart of something here is never among them: it waits to be paired.
 */
import { bulkRequestAt } from "../../engine/limits/index.ts";
import type { ListPage } from "../../integrations/integration.ts";
import type { Backfill } from "../../model/backfill.ts";
import { type Instant, laterOf, MILLISECOND } from "../../model/instant.ts";
import { AddressBook, type Services, describeError } from "../services/index.ts";
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

/** Events of it that may wait at once: an edit that comes meanwhile stands behind so many. */
const INBOUND_BACKLOG = 300;
const PAGE_SIZE = 100;
/** Pages that are taken under one claim, and for how long: others have their turn then. */
const PAGES_AT_ONCE = 20;
const AT_ONCE_MS = 2_000;

/** A page on its way into the lanes. */
interface Admitted {
  readonly page: ListPage;
  /** Resolves once it is committed, to how many events of the backfill wait then, as far as it matters. */
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
      // Before the transaction: PGlite has one session, and the directory would wait for it.
      const book = await AddressBook.open(services);
      const isTimely = services.clock.now() - began < AT_ONCE_MS * MILLISECOND;
      const isLast = page.last || taken === PAGES_AT_ONCE || waiting >= INBOUND_BACKLOG;
      const goesOn = !isLast && isTimely && (await mayAskOn(step, book));
      if (goesOn) coming = pages.next();
      // Should one of them fail, nobody is left to hear of the others.
      coming.catch(() => undefined);
      inFlight.push({ page, waiting: admitPage(step, page, book) });
      inFlight.at(-1)?.waiting.catch(() => undefined);
      while (inFlight.length > (goesOn ? 1 : 0)) await noteOldest(goesOn);
      if (!goesOn) return { kind: "went_on", after: claimed };
    }
  } catch (thrown) {
    // What was admitted before it failed need not be listed again.
    while (inFlight.length > 0 && signal?.aborted !== true) await noteOldest(true);
    throw thrown;
  } finally {
    await Promise.allSettled(inFlight.map(({ waiting: committed }) => committed));
    await pages.return?.(undefined);
  }
}

/** Whether the connection is still to be listed, and the budget is not for others. */
async function mayAskOn(
  { services, contact }: ClaimedBackfill,
  book: AddressBook,
): Promise<boolean> {
  const present = book.contact(contact.connection.id);
  if (present === null || !mayWork(present)) return false;
  // By the database's clock, as the budget's reset is: this process's may be hours off.
  const now = await services.store.ledger.now();
  return bulkRequestAt(present.account.budget, now) <= now;
}

async function admitPage(
  step: ClaimedBackfill,
  page: ListPage,
  book: AddressBook,
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
    services.log.warn(
      describeError(error),
      "a page of a backfill failed; its events wait for their turn",
    );
    return attempt(null);
  }
}

/** Notes where the list goes on behind a page that is committed. */
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
