/** From stored deliveries to events: translates deliveries, and admits their observations. */
import { nextRunAt } from "../../engine/lane/index.ts";
import { TranslationError } from "../../integrations/integration.ts";
import type { EventError } from "../../model/event.ts";
import type { ConnectionId, DeliveryId } from "../../model/ids.ts";
import type { WebhookDelivery } from "../../store/deliveries.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { DirectorySnapshot, hurrySweeps, type Services } from "../services/index.ts";
import {
  concernsAll,
  describe,
  describeError,
  isDatabaseTrouble,
  messageOf,
} from "../failures/index.ts";
import { admitArrivals } from "../admission/index.ts";
import { followContainer } from "./follow-containers.ts";
import { followMove } from "../moves/index.ts";
import { bookOfDelivery, readDelivery, type Reading } from "./read-delivery.ts";
import { applyBatchAs } from "../inbound/index.ts";

/** The number of deliveries in a batch. A large batch costs less per delivery; after a failure each runs singly. */
const BATCH = 200;
/** The number of payload bytes in a batch, because a parsed payload takes several times its bytes in memory. */
const BATCH_BYTES = 16 * 1024 * 1024;

/**
 * Translates received deliveries; returns how many it handled.
 *
 * @param worker The worker that ends events in the same transaction; `null`: all events are queued.
 */
export async function translateDeliveries(
  services: Services,
  worker: string | null,
): Promise<number> {
  const book = await DirectorySnapshot.open(services);
  const mayWork = worker !== null && (await services.instance.checkIdentity()) === null;
  if (mayWork) {
    const taken = await attemptBatch(services, book, worker);
    if (taken !== null) return taken;
  }
  // A delivery of the batch cannot be written or admitted. Translated singly, only that one fails.
  return (await attemptBatch(services, book, null)) ?? translateOneByOne(services, book);
}

async function attemptBatch(
  services: Services,
  book: DirectorySnapshot,
  worker: string | null,
): Promise<number | null> {
  try {
    const { taken, left } = await translateBatch(services, book, worker, "skip");
    // If every lane of the batch is locked elsewhere, wait for the locks: skipping would never make progress.
    if (taken > 0 || left === 0) return taken;
    return (await translateBatch(services, book, worker, "wait")).taken;
  } catch (error) {
    // With a worker the transaction does more that the database may abort; the next attempt runs without one.
    if (worker === null && concernsAll(error)) throw error;
    const what = worker === null ? "each is translated singly" : "its events are queued";
    services.log.warn(describeError(error), `a batch of deliveries failed; ${what}`);
    return null;
  }
}

/** A delivery with its translation. */
interface Read<Of extends Reading = Reading> {
  readonly delivery: WebhookDelivery;
  readonly reading: Of;
}

type ReadAs<Kind extends Reading["kind"]> = Read<Extract<Reading, { readonly kind: Kind }>>;

/**
 * @param held Whether to wait for lanes that another transaction holds, or to leave their deliveries for the next
 *   batch.
 */
async function translateBatch(
  services: Services,
  book: DirectorySnapshot,
  worker: string | null,
  held: "wait" | "skip",
) {
  const { taken, left, follow, surplus } = await services.store.transaction(async (tx) => {
    const deliveries = await tx.pendingDeliveries.lock(BATCH, BATCH_BYTES);
    const translated = await translate(tx, ...[deliveries, book, services, worker, held]);
    return { ...translated, taken: deliveries.length - translated.left };
  });
  await hurrySweeps(services, surplus);
  for (const item of follow) await followContainers(item, book, services);
  return { taken, left };
}

async function translateOneByOne(services: Services, book: DirectorySnapshot): Promise<number> {
  for (let done = 0; done < BATCH; done += 1) {
    let current: WebhookDelivery | undefined;
    try {
      const translated = await services.store.transaction(async (tx) => {
        [current] = await tx.pendingDeliveries.lock(1);
        if (current === undefined) return null;
        return translate(tx, [current], book, services, null, "wait");
      });
      if (translated === null) return done;
      await hurrySweeps(services, translated.surplus);
      for (const item of translated.follow) await followContainers(item, book, services);
    } catch (error) {
      const failed = current;
      if (failed === undefined || concernsAll(error)) throw error;
      await services.store.transaction((tx) => markFailed(tx, failed, error, services));
    }
  }
  return BATCH;
}

/** Translates locked deliveries, except for the parts that must run after the transaction. */
async function translate(
  tx: StoreTransaction,
  deliveries: readonly WebhookDelivery[],
  book: DirectorySnapshot,
  services: Services,
  worker: string | null,
  held: "wait" | "skip",
) {
  const read = deliveries.map((delivery): Read => ({
    delivery,
    reading: readDelivery(delivery, book, services),
  }));
  const of = <Kind extends Reading["kind"]>(kind: Kind) =>
    read.filter((item): item is ReadAs<Kind> => item.reading.kind === kind);
  for (const { delivery, reading } of of("failed")) {
    await markFailed(tx, delivery, reading.thrown, services);
  }
  for (const { delivery, reading } of of("irrelevant")) {
    await tx.pendingDeliveries.irrelevant(delivery.id, reading.action, reading.reason);
  }
  // Follow moves first, because the batch's other deliveries show resources at their new addresses.
  for (const item of of("moved")) await followMoved(tx, item, book, services);
  const told = of("arrivals");
  const incoming = told.flatMap(({ reading }) => reading.incoming);
  let left: ReadonlySet<DeliveryId> = new Set();
  let surplus: readonly ConnectionId[] = [];
  if (incoming.length > 0) {
    const save = applyBatchAs(worker);
    ({ left, surplus } = await admitArrivals(tx, incoming, book, services, save, held));
  }
  const taken = told.filter(({ delivery }) => !left.has(delivery.id));
  if (taken.length > 0) {
    await tx.pendingDeliveries.translated(
      taken.map(({ delivery, reading }) => ({ id: delivery.id, action: reading.action })),
    );
  }
  return { left: left.size, follow: of("containers"), surplus };
}

/** Follows the containers, then marks the delivery. In this order, a crash repeats the idempotent step. */
async function followContainers(
  { delivery, reading }: ReadAs<"containers">,
  book: DirectorySnapshot,
  services: Services,
): Promise<void> {
  const verified = bookOfDelivery(delivery, book);
  for (const news of reading.containers) await followContainer(news, verified, services);
  await services.store.transaction((tx) =>
    tx.pendingDeliveries.translated([{ id: delivery.id, action: reading.action }]),
  );
}

async function followMoved(
  tx: StoreTransaction,
  { delivery, reading }: ReadAs<"moved">,
  book: DirectorySnapshot,
  services: Services,
): Promise<void> {
  const { id, integration } = delivery;
  const { action, move } = reading;
  const known = { integration, move, source: "webhook", deliveryId: id } as const;
  const followed = await followMove(tx, known, bookOfDelivery(delivery, book), services);
  if (followed) await tx.pendingDeliveries.translated([{ id, action }]);
  else await tx.pendingDeliveries.irrelevant(id, action, "unknown_container");
}

function causeOf(thrown: unknown): Pick<EventError, "code" | "hint"> {
  if (thrown instanceof TranslationError) return thrown;
  if (isDatabaseTrouble(thrown)) return describe(thrown);
  return {
    code: "not_translated",
    hint: "The delivery is kept and retried; if the payload is right, this is a bug in Tandem.",
  };
}

async function markFailed(
  tx: StoreTransaction,
  delivery: WebhookDelivery,
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
