/**
 * Deliveries on their way in, where this process works: what they say is admitted, and ended where it
 * needs nothing but the database, in the transaction that stores them.
 *
 * 1. A delivery is stored, whatever becomes of what it says: where not all can be done at once, it is
 *    stored alone, and translated like any other.
 * 2. Nobody waits: what belongs to lanes that somebody holds is stored and left for its turn.
 * 3. Nothing is done here that asks anybody but the database, or follows containers.
 * 4. What the app's own triggers take is bounded: a webhook that is stored only is answered in time.
 */
import type { ConnectionId, DeliveryId } from "../../model/ids.ts";
import { SECOND } from "../../model/instant.ts";
import { allOf } from "../../store/database/index.ts";
import type { DeliveryStore, TakenDelivery } from "../../store/deliveries.ts";
import type { FirstLook, StoreTransaction } from "../../store/store.ts";
import { admitArrivals } from "../admission/index.ts";
import { applyBatchAs } from "../inbound/index.ts";
import { followMove } from "../moves/index.ts";
import { watchFitness } from "../safety/index.ts";
import {
  AddressBook,
  hurrySweeps,
  type Services,
  describeError,
  type WorkerWork,
} from "../services/index.ts";
import { bookOfDelivery, readDelivery, type Reading } from "./read-delivery.ts";

type Received = Parameters<DeliveryStore["receive"]>[0][number];

/** How long a receiver waits for what others are making, before it leaves it to them. */
const PATIENCE_MS = 500;
/** How long a statement may take with all that the app's triggers do: GitHub waits ten seconds. */
const STATEMENT_MS = 2_000;
/**
 * After a failure deliveries are only stored for so long, and for twice as long after the next: what
 * failed may fail again.
 */
const REST = 1 * SECOND;
const LONGEST_REST = 30 * SECOND;

/**
 * Stores deliveries as `DeliveryStore.receive` does, and takes in what they say.
 *
 * @param worker Who works on it now; `null`: nobody in this process.
 * @param heard Called when something was left to be worked on.
 */
export function takeDeliveries(
  services: Services,
  worker: () => string | null,
  heard: (work: WorkerWork) => void,
): DeliveryStore["receive"] {
  const { store, clock, log } = services;
  const fits = watchFitness(services);
  let restUntil = 0;
  let rest = REST;

  async function attempt(deliveries: readonly Received[], name: string) {
    try {
      const taken = await store.transaction((tx, seen) => take(tx, seen, services, name), {
        waitAtMost: PATIENCE_MS,
        pauseAtMost: STATEMENT_MS,
        look: (first: FirstLook) =>
          allOf(AddressBook.openWithin(first, services), notSeen(first, deliveries)),
      });
      rest = REST;
      await hurrySweeps(services, taken.surplus);
      return taken;
    } catch (error) {
      restUntil = clock.now() + rest;
      rest = Math.min(LONGEST_REST, rest * 2);
      log.warn(describeError(error), "webhooks were not taken in as they came; they are stored");
      return null;
    }
  }

  async function mayTake(): Promise<boolean> {
    if (clock.now() < restUntil) return false;
    try {
      return (await fits()) && (await services.instance.foreign()) === null;
    } catch {
      return false;
    }
  }

  return async (deliveries) => {
    const name = worker();
    const taken = name !== null && (await mayTake()) ? await attempt(deliveries, name) : null;
    if (taken === null) {
      const stored = await store.deliveries.receive(deliveries);
      heard("deliveries");
      return stored;
    }
    if (taken.left > 0) heard("deliveries");
    if (taken.toDrain) heard("changes");
    // What was stored before, or comes twice at once, is counted.
    const again = deliveries.filter((delivery) => !taken.fresh.has(delivery.id));
    const counted = again.length === 0 ? [] : await store.deliveries.receive(again);
    const seen = new Map(again.map((delivery, index) => [delivery, counted[index]]));
    return deliveries.map((delivery) => seen.get(delivery) ?? { ...delivery, seenBefore: false });
  };
}

async function take(
  tx: StoreTransaction,
  [book, fresh]: readonly [AddressBook, readonly Received[]],
  services: Services,
  worker: string,
) {
  const read = fresh.map((delivery) => ({
    delivery,
    reading: readDelivery(delivery, book, services),
  }));
  // Moves first: what else is told of a resource is told of where it is now.
  const followed = new Map<DeliveryId, Outcome>();
  for (const { delivery, reading } of read) {
    if (reading.kind !== "moved") continue;
    const { id: deliveryId, integration } = delivery;
    const { action, move } = reading;
    const known = { integration, move, source: "webhook", deliveryId } as const;
    const isKnown = await followMove(tx, known, bookOfDelivery(delivery, book), services);
    const outcome = isKnown
      ? ({ state: "translated", action, reason: null } as const)
      : ({ state: "irrelevant", action, reason: "unknown_container" } as const);
    followed.set(deliveryId, outcome);
  }
  const incoming = read.flatMap(({ reading }) =>
    reading.kind === "arrivals" ? reading.incoming : [],
  );
  let added: readonly TakenDelivery[] = [];
  const add = (left: ReadonlySet<DeliveryId>) => {
    added = read.map(({ delivery, reading }) => ({
      ...delivery,
      ...(left.has(delivery.id) ? UNREAD : (followed.get(delivery.id) ?? outcomeOf(reading))),
    }));
    return tx.pendingDeliveries.add(added);
  };
  let toDrain = false;
  let surplus: readonly ConnectionId[] = [];
  if (incoming.length === 0) await add(new Set());
  else
    ({ toDrain, surplus } = await admitArrivals(
      tx,
      incoming,
      book,
      services,
      applyBatchAs(worker),
      "skip",
      add,
    ));
  return {
    fresh: new Set(fresh.map(({ id }) => id)),
    left: added.filter(({ state }) => state === "received").length,
    toDrain,
    surplus,
  };
}

/** The first of each key that is not stored yet. */
async function notSeen(
  { pendingDeliveries }: Pick<FirstLook, "pendingDeliveries">,
  deliveries: readonly Received[],
): Promise<readonly Received[]> {
  const fresh: Received[] = [];
  for (const integration of new Set(deliveries.map((delivery) => delivery.integration))) {
    const own = deliveries.filter((delivery) => delivery.integration === integration);
    const keys = own.map(({ deliveryKey }) => deliveryKey);
    const seen = new Set(await pendingDeliveries.received(integration, keys));
    for (const delivery of own) {
      if (!seen.has(delivery.deliveryKey)) fresh.push(delivery);
      seen.add(delivery.deliveryKey);
    }
  }
  return fresh;
}

type Outcome = Pick<TakenDelivery, "state" | "action" | "reason">;

const UNREAD: Outcome = { state: "received", action: null, reason: null };

/** What cannot be read, and what connections have to follow, is for the translation to see to. */
function outcomeOf(reading: Reading): Outcome {
  switch (reading.kind) {
    case "arrivals":
      return { state: "translated", action: reading.action, reason: null };
    case "irrelevant":
      return { state: "irrelevant", action: reading.action, reason: reading.reason };
    case "failed":
    case "moved":
    case "containers":
      return UNREAD;
  }
}
