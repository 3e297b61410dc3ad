/** From stored deliveries to events: translate, and admit what they observe. */
import { nextRunAt } from "../../engine/lane/index.ts";
import { TranslationError } from "../../integrations/integration.ts";
import type { EventError } from "../../model/event.ts";
import type { ConnectionId, DeliveryId } from "../../model/ids.ts";
import type { WebhookDelivery } from "../../store/deliveries.ts";
import type { StoreTransaction } from "../../store/store.ts";
import {
  AddressBook,
  concernsAll,
  describe,
  hurrySweeps,
  isDatabaseTrouble,
  messageOf,
  type Services,
  describeError,
} from "../services/index.ts";
import { admitArrivals } from "../admission/index.ts";
import { followContainer } from "./follow-containers.ts";
import { followMove } from "../moves/index.ts";
import { bookOfDelivery, readDelivery, type Reading } from "./read-delivery.ts";
import { applyBatchAs } from "../inbound/index.ts";

/** Deliveries taken at once: each costs less the more there are, and a failing one is sought one by one. */
const BATCH = 200;
/** ... and no more of them than this: parsed, a payload takes several times its bytes. */
const BATCH_BYTES = 16 * 1024 * 1024;

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
    const { taken, left } = await translateBatch(services, book, worker, "skip");
    // Where others hold all that it takes, it is their turn first.
    if (taken > 0 || left === 0) return taken;
    return (await translateBatch(services, book, worker, "wait")).taken;
  } catch (error) {
    // With a worker there is more that may be cut off, and the next attempt does without.
    if (worker === null && concernsAll(error)) throw error;
    const what = worker === null ? "going one by one" : "its events wait for their turn";
    services.log.warn(describeError(error), `a batch of deliveries failed; ${what}`);
    return null;
  }
}

/** A delivery with what it says. */
interface Read<Of extends Reading = Reading> {
  readonly delivery: WebhookDelivery;
  readonly reading: Of;
}

type ReadAs<Kind extends Reading["kind"]> = Read<Extract<Reading, { readonly kind: Kind }>>;

/**
 * @param held What of a batch belongs to lanes that somebody holds is waited for, or left for next time.
 */
async function translateBatch(
  services: Services,
  book: AddressBook,
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

async function translateOneByOne(services: Services, book: AddressBook): Promise<number> {
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

/** Translates locked deliveries, as far as that is done within the transaction. */
async function translate(
  tx: StoreTransaction,
  deliveries: readonly WebhookDelivery[],
  book: AddressBook,
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
  // Moves first: what else is told of a resource is told of where it is now.
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

/** Follows first, which may be done twice, and notes it then: what was not noted is done again. */
async function followContainers(
  { delivery, reading }: ReadAs<"containers">,
  book: AddressBook,
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
  book: AddressBook,
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
    hint: "The delivery is kept and tried again; if the payload is right, this is a fault of ours.",
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
