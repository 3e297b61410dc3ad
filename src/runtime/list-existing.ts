/**
 * The first step of a backfill: everything that exists at the integration is listed and admitted.
 *
 * 1. The next page is asked for while the last one is being admitted, and one page ahead at most: what is
 *    in memory does not grow with what there is to list.
 * 2. A page is admitted together with where the list goes on, so that a killed process loses no other.
 * 3. Events that need nothing but the database end where they are admitted. What could still be
 *    the counterpart of something here is never among them: it waits to be paired.
 */
import { bulkRequestAt } from "../engine/budget.ts";
import type { ListPage } from "../integrations/integration.ts";
import type { Backfill } from "../model/backfill.ts";
import { type Instant, laterOf, MILLISECOND } from "../model/instant.ts";
import { AddressBook } from "./address-book.ts";
import { admitArrivals } from "./admit-arrivals.ts";
import {
  BackfillLostError,
  finished,
  inOneTransaction,
  mayWork,
  notBefore,
  type Progress,
  type Step,
} from "./backfill-step.ts";
import { tell } from "./failures.ts";
import type { Services } from "./services.ts";

/** Events of it that may wait at once: an edit that comes meanwhile stands behind so many. */
const INBOUND_BACKLOG = 300;
const PAGE_SIZE = 100;
/** Pages that are taken under one claim, and for how long: others have their turn then. */
const PAGES_AT_ONCE = 20;
const AT_ONCE_MS = 2_000;

/** The list's next pages, each admitted together with where the list goes on. */
export async function listExisting(step: Step): Promise<Progress> {
  const { services, contact, mapping, signal } = step;
  const paused = await notBefore(step, INBOUND_BACKLOG);
  if (paused !== null) return paused;
  const began = services.clock.now();
  const { type } = mapping.resource;
  const query = { type, since: null, etag: null, cursor: step.claimed.cursor };
  const pages = services.gateway.container(contact).list(query, signal)[Symbol.asyncIterator]();
  try {
    let coming = pages.next();
    let claimed = step.claimed;
    let waiting = 0;
    for (let taken = 1; ; taken += 1) {
      const next = await coming;
      if (next.done === true) return { kind: "waits" };
      const page = next.value;
      // Before the transaction: PGlite has one session, and the directory would wait for it.
      const book = await AddressBook.open(services);
      const isTimely = services.clock.now() - began < AT_ONCE_MS * MILLISECOND;
      const goesOn =
        !page.last &&
        taken < PAGES_AT_ONCE &&
        isTimely &&
        waiting < INBOUND_BACKLOG &&
        mayAskOn(step, book);
      if (goesOn) {
        coming = pages.next();
        // Should this page fail, nobody is left to hear of the next.
        coming.catch(() => undefined);
      }
      const admitted = await admitPage({ ...step, claimed }, page, book, goesOn);
      if (page.last) await noteListed(services, admitted.progress.after);
      if (!goesOn) return admitted.progress;
      claimed = admitted.progress.after;
      step.kept(claimed);
      waiting = admitted.waiting;
    }
  } finally {
    await pages.return?.(undefined);
  }
}

/** Whether the connection is still to be listed, and the budget is not for others now. */
function mayAskOn({ services, contact }: Step, book: AddressBook): boolean {
  const now = book.contact(contact.connection.id);
  if (now === null || !mayWork(now)) return false;
  const at = services.clock.now();
  return bulkRequestAt(now.account.budget, at) <= at;
}

interface Admitted {
  readonly progress: Extract<Progress, { kind: "went_on" }>;
  /** Events of it that wait now, as far as it matters. */
  readonly waiting: number;
}

async function admitPage(
  step: Step,
  page: ListPage,
  book: AddressBook,
  goesOn: boolean,
): Promise<Admitted> {
  if (step.worker === null) return attemptPage(step, page, book, goesOn);
  try {
    return await attemptPage(step, page, book, goesOn);
  } catch (error) {
    if (error instanceof BackfillLostError || step.signal?.aborted === true) throw error;
    step.services.log.warn(tell(error), "a page of a backfill failed; its events wait");
    return attemptPage({ ...step, worker: null }, page, book, goesOn);
  }
}

async function attemptPage(
  step: Step,
  page: ListPage,
  book: AddressBook,
  goesOn: boolean,
): Promise<Admitted> {
  const { services, contact, claimed, worker } = step;
  let waiting = 0;
  const work = async (tx: Parameters<typeof admitArrivals>[0]): Promise<Backfill> => {
    const arrivals = page.observations.map((observation) => ({
      contact,
      arrival: { observation, source: "backfill", deliveryId: null, verifiedAt: null } as const,
    }));
    await admitArrivals(tx, arrivals, book, services, worker);
    if (goesOn) waiting = await tx.backfills.backlog(contact.connection.id, INBOUND_BACKLOG);
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
  };
  const progress = await inOneTransaction(step, work, goesOn ? "keep" : "give_back");
  return { progress, waiting };
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
