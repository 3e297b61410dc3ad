/** From stored deliveries to events: translate, and admit what they observe. */
import { nextRunAt } from "../engine/retry.ts";
import { type Translation, TranslationError } from "../integrations/integration.ts";
import type { EventError } from "../model/event.ts";
import type { ResourceMove } from "../model/observation.ts";
import { isContention } from "../store/database.ts";
import type { Delivery, StoreTransaction } from "../store/store.ts";
import { AddressBook } from "./address-book.ts";
import { admitArrivals, type Incoming } from "./admit-arrivals.ts";
import { describe, isDatabaseTrouble, messageOf, tell } from "./failures.ts";
import {
  type ContainerNews,
  followContainer,
  followersOf,
  isUnknown,
} from "./follow-containers.ts";
import { followMove } from "./follow-moves.ts";
import type { Services } from "./services.ts";

/** Deliveries taken at once: each costs less the more there are, and a failing one is sought one by one. */
const BATCH = 200;

/**
 * Translates what was received and not yet translated; returns how many deliveries it took.
 *
 * @param worker Who works on what can be ended at once; `null`: nobody, it waits for its turn.
 */
export async function translateDeliveries(
  services: Services,
  worker: string | null,
): Promise<number> {
  const book = await AddressBook.open(services);
  const mayWork = worker !== null && (await services.instance.foreign()) === null;
  if (mayWork) {
    const taken = await attemptBatch(services, book, worker);
    if (taken !== null) return taken;
  }
  // Something in the batch cannot be written, or not be admitted: alone, only that one fails.
  return (await attemptBatch(services, book, null)) ?? translateOneByOne(services, book);
}

async function attemptBatch(
  services: Services,
  book: AddressBook,
  worker: string | null,
): Promise<number | null> {
  try {
    return await translateBatch(services, book, worker);
  } catch (error) {
    // With a worker there is more that may be cut off, and the next attempt does without.
    if (worker === null && concernsAll(error)) throw error;
    const what = worker === null ? "going one by one" : "its events wait for their turn";
    services.log.warn(tell(error), `a batch of deliveries failed; ${what}`);
    return null;
  }
}

/** What one delivery says: of resources, to be admitted, and of containers and moves, to be followed. */
interface News {
  /** Translated, unless something else of it is still to be followed. */
  readonly read: Pick<Followed, "delivery" | "action"> | null;
  readonly incoming: readonly Incoming[];
  readonly moved: Moved | null;
  readonly followed: Followed | null;
}

/** A delivery with news that connections follow. It is translated when they have followed it. */
interface Followed {
  readonly delivery: Delivery;
  readonly action: string | null;
  readonly containers: readonly ContainerNews[];
}

/** A delivery that tells of a resource's move. */
interface Moved {
  readonly delivery: Delivery;
  readonly action: string | null;
  readonly move: ResourceMove;
}

const NO_NEWS: News = { read: null, incoming: [], moved: null, followed: null };

async function translateBatch(services: Services, book: AddressBook, worker: string | null) {
  const { taken, followed } = await services.store.transaction(async (tx) => {
    const deliveries = await tx.pendingDeliveries.lock(BATCH);
    const news: News[] = [];
    for (const delivery of deliveries) news.push(await translateOne(tx, delivery, book, services));
    // Moves first: what else is told of a resource is told of where it is now.
    for (const { moved } of news) if (moved !== null) await followMoved(tx, moved, book, services);
    await markRead(tx, news);
    const incoming = news.flatMap((item) => item.incoming);
    if (incoming.length > 0) await admitArrivals(tx, incoming, book, services, worker);
    return { taken: deliveries.length, followed: news.flatMap((item) => item.followed ?? []) };
  });
  for (const item of followed) await follow(item, book, services);
  return taken;
}

async function translateOneByOne(services: Services, book: AddressBook): Promise<number> {
  for (let done = 0; done < BATCH; done += 1) {
    let current: Delivery | undefined;
    try {
      const news = await services.store.transaction(async (tx) => {
        [current] = await tx.pendingDeliveries.lock(1);
        if (current === undefined) return null;
        const translated = await translateOne(tx, current, book, services);
        if (translated.moved !== null) await followMoved(tx, translated.moved, book, services);
        await markRead(tx, [translated]);
        await admitArrivals(tx, translated.incoming, book, services);
        return translated;
      });
      if (news === null) return done;
      if (news.followed !== null) await follow(news.followed, book, services);
    } catch (error) {
      const failed = current;
      if (failed === undefined || concernsAll(error)) throw error;
      await services.store.transaction((tx) => markFailed(tx, failed, error, services));
    }
  }
  return BATCH;
}

/** The database is in trouble, and not only with what somebody else holds: every delivery meets that. */
function concernsAll(error: unknown): boolean {
  return isDatabaseTrouble(error) && !isContention(error);
}

/** Follows first, which may be done twice, and notes it then: what was not noted is done again. */
async function follow(
  { delivery, action, containers }: Followed,
  book: AddressBook,
  services: Services,
): Promise<void> {
  for (const news of containers) await followContainer(news, book, services);
  await services.store.transaction((tx) =>
    tx.pendingDeliveries.translated([{ id: delivery.id, action }]),
  );
}

async function markRead(tx: StoreTransaction, news: readonly News[]): Promise<void> {
  const read = news.flatMap((item) => item.read ?? []);
  if (read.length === 0) return;
  await tx.pendingDeliveries.translated(
    read.map(({ delivery, action }) => ({ id: delivery.id, action })),
  );
}

async function followMoved(
  tx: StoreTransaction,
  { delivery, action, move }: Moved,
  book: AddressBook,
  services: Services,
): Promise<void> {
  const { id, integration } = delivery;
  const known = { integration, move, source: "webhook", deliveryId: id } as const;
  const followed = await followMove(tx, known, book, services);
  if (followed) await tx.pendingDeliveries.translated([{ id, action }]);
  else await tx.pendingDeliveries.irrelevant(id, action, "unknown_container");
}

async function translateOne(
  tx: StoreTransaction,
  delivery: Delivery,
  book: AddressBook,
  services: Services,
): Promise<News> {
  const integration = services.integrations.get(delivery.integration);
  let translation: Translation;
  try {
    if (integration === undefined) throw new Error(`no integration "${delivery.integration}"`);
    translation = integration.translate(delivery);
  } catch (error) {
    await markFailed(tx, delivery, error, services);
    return NO_NEWS;
  }
  if (translation.kind === "irrelevant") {
    await tx.pendingDeliveries.irrelevant(delivery.id, translation.action, translation.reason);
    return NO_NEWS;
  }
  if (translation.kind === "moved") {
    const { action, move } = translation;
    return { ...NO_NEWS, moved: { delivery, action, move } };
  }
  if (translation.kind === "container") {
    const { integration: name } = delivery;
    const containers = translation.changes.map((change) => ({ integration: name, change }));
    const followed = containers.filter((item) => followersOf(item, book, services).length > 0);
    if (followed.length > 0) {
      return { ...NO_NEWS, followed: { delivery, action: translation.action, containers } };
    }
    const reason = containers.some((item) => isUnknown(item, book))
      ? "unknown_container"
      : "nothing_to_follow";
    await tx.pendingDeliveries.irrelevant(delivery.id, translation.action, reason);
    return NO_NEWS;
  }
  const incoming = translation.observations.flatMap(({ containerId, observation }) =>
    book.ofContainer(delivery.integration, containerId).map((contact): Incoming => ({
      contact,
      arrival: {
        observation,
        source: "webhook",
        deliveryId: delivery.id,
        verifiedAt: null,
      },
    })),
  );
  if (incoming.length === 0) {
    await tx.pendingDeliveries.irrelevant(delivery.id, translation.action, "unknown_container");
  } else {
    return { ...NO_NEWS, incoming, read: { delivery, action: translation.action } };
  }
  return NO_NEWS;
}

function causeOf(thrown: unknown): Pick<EventError, "code" | "hint"> {
  if (thrown instanceof TranslationError) return thrown;
  if (isDatabaseTrouble(thrown)) return describe(thrown);
  return {
    code: "not_translated",
    hint: "The delivery is kept and tried again; if the payload is right, this is a fault of ours.",
  };
}

async function markFailed(
  tx: StoreTransaction,
  delivery: Delivery,
  thrown: unknown,
  services: Services,
): Promise<void> {
  const { code, hint } = causeOf(thrown);
  const error: EventError = {
    code,
    message: messageOf(thrown),
    hint,
    retryable: true,
    httpStatus: null,
    requestId: null,
  };
  services.log.warn(
    { delivery: delivery.id, code, error: error.message, hint },
    "a delivery was not translated",
  );
  await tx.pendingDeliveries.failed(
    delivery.id,
    error,
    nextRunAt(tx.now, delivery.attempts + 1, services.random()),
  );
}
