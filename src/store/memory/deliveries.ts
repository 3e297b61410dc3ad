/** Deliveries: stored before they are answered, counted when they come again, then translated. */
import type { DeliveryId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import { storableValue, withoutNul } from "../database/index.ts";
import type {
  WebhookDelivery,
  DeliveryStore,
  PendingDeliveries,
  TakenDelivery,
} from "../deliveries.ts";
import { byId } from "./lanes/index.ts";
import { deliveryKeyOf, type MemoryDelivery, type MemoryState } from "./tables/index.ts";

export function memoryDeliveries(state: MemoryState): DeliveryStore {
  return {
    receive: (deliveries) =>
      state.transaction(() => {
        // One time for the batch: what has one time is translated in the order of its ids.
        const now = state.now();
        if (deliveries.length > 0) state.announceWork("deliveries");
        return deliveries.map((delivery) => receive(state, delivery, now));
      }),
    received: (integration, keys) => state.transaction(() => received(state, integration, keys)),
    waiting: () =>
      state.transaction(() => {
        const counts = { received: 0, failed: 0 };
        for (const { state: at } of state.deliveries.by("pending", true)) {
          if (at === "received" || at === "failed") counts[at] += 1;
        }
        return counts;
      }),
    counts: () =>
      state.transaction(() => {
        const counts = { received: 0, translated: 0, irrelevant: 0, failed: 0 };
        for (const delivery of state.deliveries.rows()) counts[delivery.state] += 1;
        return counts;
      }),
  };
}

function received(state: MemoryState, integration: string, keys: readonly string[]) {
  return new Set(
    keys.filter((deliveryKey) => {
      const key = deliveryKeyOf({ integration, deliveryKey });
      return state.deliveries.one("deliveryKey", key) !== undefined;
    }),
  );
}

function receive(state: MemoryState, delivery: Omit<WebhookDelivery, "attempts">, now: Instant) {
  const known = state.deliveries.one("deliveryKey", deliveryKeyOf(delivery));
  if (known === undefined) {
    state.deliveries.insert({
      ...delivery,
      payload: withoutNul(delivery.payload),
      attempts: 0,
      action: null,
      state: "received",
      reason: null,
      error: null,
      timesReceived: 1,
      runAt: now,
      receivedAt: now,
    });
    return { id: delivery.id, seenBefore: false, verifiedBy: delivery.verifiedBy };
  }
  // A delivery that failed to translate is retried immediately when it is received again.
  const runAt = known.state === "failed" ? now : known.runAt;
  state.deliveries.put({ ...known, timesReceived: known.timesReceived + 1, runAt });
  return { id: known.id, seenBefore: true, verifiedBy: known.verifiedBy };
}

/** The deliveries as one transaction sees them; `step` runs each of its steps within it. */
export function memoryPendingDeliveries(
  state: MemoryState,
  now: Instant,
  step: <T>(work: () => T) => Promise<T>,
): PendingDeliveries {
  const change = (id: DeliveryId, changed: (known: MemoryDelivery) => Partial<MemoryDelivery>) =>
    step(() => {
      const known = state.deliveries.get(id);
      if (known !== undefined) state.deliveries.put({ ...known, ...changed(known) });
    });
  return {
    received: (integration, keys) => step(() => received(state, integration, keys)),
    add: (deliveries) =>
      step(() => {
        for (const delivery of deliveries) {
          receive(state, delivery, now);
          state.deliveries.put({ ...storedNow(state, delivery.id), ...outcomeOf(delivery) });
        }
      }),
    lock: (limit, bytes = Number.MAX_SAFE_INTEGER) =>
      step(() => {
        let read = 0;
        return state.deliveries
          .by("pending", true)
          .filter(({ runAt }) => runAt <= now)
          .sort((a, b) => a.runAt - b.runAt || (a.id < b.id ? -1 : 1))
          .slice(0, limit)
          .filter(({ payload }) => {
            const fits = read < bytes;
            read += Buffer.byteLength(payload);
            return fits;
          })
          .map(({ id, integration, deliveryKey, event, payload, attempts, verifiedBy }) => ({
            id,
            integration,
            deliveryKey,
            event,
            payload,
            attempts,
            verifiedBy,
          }));
      }),
    async translated(deliveries) {
      for (const { id, action } of deliveries) {
        await change(id, () => ({ state: "translated", action, reason: null, error: null }));
      }
    },
    irrelevant: (id, action, reason) =>
      change(id, () => ({ state: "irrelevant", action, reason, error: null })),
    failed: (id, error, runAt) =>
      change(id, ({ attempts }) => ({
        state: "failed",
        attempts: attempts + 1,
        error: storableValue(error),
        runAt,
      })),
    erroredLanes: (id) =>
      step(() =>
        state.lanes
          .by("busy", true)
          .filter(({ live }) =>
            live.some((event) => event.state === "errored" && event.deliveryId === id),
          )
          .sort(byId)
          .map((lane) => lane.id),
      ),
  };
}

function storedNow(state: MemoryState, id: DeliveryId): MemoryDelivery {
  const stored = state.deliveries.get(id);
  if (stored === undefined) throw new Error(`delivery ${id} was stored before`);
  return stored;
}

function outcomeOf({ state, action, reason }: TakenDelivery) {
  return { state, action, reason };
}
