/**
 * Ingesting deliveries in a process with a worker: the transaction that stores them also admits their observations,
 * and ends events that need only the database.
 *
 * 1. A delivery is always stored. If it cannot be processed here, it is only stored, and translated later.
 * 2. This never waits for a lock: a delivery for a lane that another transaction holds is only stored.
 * 3. No request is sent here, and no container is followed.
 * 4. The time of the app's own triggers is limited: a webhook must be answered in time, so it is only stored then.
 */
import type { ConnectionId, DeliveryId } from "../../model/ids.ts";
import { SECOND } from "../../model/instant.ts";
import { allOf } from "../../store/database/index.ts";
import type { DeliveryStore, TakenDelivery } from "../../store/deliveries.ts";
import type { FirstLook, StoreTransaction } from "../../store/store.ts";
import { admitArrivals } from "../admission/index.ts";
import { applyBatchAs } from "../inbound/index.ts";
import { followMove } from "../moves/index.ts";
import { watchSchema } from "../safety/index.ts";
import {
  DirectorySnapshot,
  hurrySweeps,
  type Services,
  type WorkerWork,
} from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import { bookOfDelivery, readDelivery, type Reading } from "./read-delivery.ts";

type Received = Parameters<DeliveryStore["receive"]>[0][number];

/** How long the transaction waits for lanes that others are creating, before it only stores. */
const PATIENCE_MS = 500;
/** How long a statement may take, including the app's triggers: GitHub waits ten seconds for the answer. */
const STATEMENT_MS = 2_000;
/** For this time after a failure, deliveries are only stored; it doubles with each further failure. */
const REST = 1 * SECOND;
const LONGEST_REST = 30 * SECOND;

/** Stores deliveries like `DeliveryStore.receive`, and admits their observations. */
export function takeDeliveries({
  services,
  worker,
  wake,
}: {
  readonly services: Services;
  /** The name of the worker in this process; `null`: there is none. */
  readonly worker: () => string | null;
  /** Called when work was left for the worker. */
  readonly wake: (work: WorkerWork) => void;
}): DeliveryStore["receive"] {
  const { store, clock, log } = services;
  const isCompatible = watchSchema(services);
  let restUntil = 0;
  let rest = REST;

  async function attempt(deliveries: readonly Received[], name: string) {
    try {
      const taken = await store.transaction((tx, seen) => ingest(tx, seen, services, name), {
        waitAtMost: PATIENCE_MS,
        pauseAtMost: STATEMENT_MS,
        look: (first: FirstLook) =>
          allOf(DirectorySnapshot.openWithin(first, services), notSeen(first, deliveries)),
      });
      rest = REST;
      await hurrySweeps(services, taken.surplus);
      return taken;
    } catch (error) {
      restUntil = clock.now() + rest;
      rest = Math.min(LONGEST_REST, rest * 2);
      log.warn(
        describeError(error),
        "webhooks were stored but not processed immediately; the worker translates them",
      );
      return null;
    }
  }

  async function mayTake(): Promise<boolean> {
    if (clock.now() < restUntil) return false;
    try {
      return (await isCompatible()) && (await services.instance.checkIdentity()) === null;
    } catch {
      return false;
    }
  }

  return async (deliveries) => {
    const name = worker();
    const taken = name !== null && (await mayTake()) ? await attempt(deliveries, name) : null;
    if (taken === null) {
      const stored = await store.deliveries.receive(deliveries);
      wake("deliveries");
      return stored;
    }
    if (taken.left > 0) wake("deliveries");
    if (taken.toDrain) wake("changes");
    // A delivery that was stored before, or is twice in this batch, only counts up.
    const again = deliveries.filter((delivery) => !taken.fresh.has(delivery.id));
    const counted = again.length === 0 ? [] : await store.deliveries.receive(again);
    const seen = new Map(again.map((delivery, index) => [delivery, counted[index]]));
    return deliveries.map((delivery) => seen.get(delivery) ?? { ...delivery, seenBefore: false });
  };
}

async function ingest(
  tx: StoreTransaction,
  [book, fresh]: readonly [DirectorySnapshot, readonly Received[]],
  services: Services,
  worker: string,
) {
  const read = fresh.map((delivery) => ({
    delivery,
    reading: readDelivery(delivery, book, services),
  }));
  // Follow moves first, because the batch's other deliveries show resources at their new addresses.
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

/** The outcome of a delivery. One that failed, or that connections must follow, is left for the translation. */
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
