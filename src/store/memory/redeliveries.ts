/** How far providers' logs of deliveries were read, and what they could not deliver. */
import { addMillis } from "../../model/instant.ts";
import type { MissedDelivery } from "../../model/missed-delivery.ts";
import type { RedeliveryStore } from "../redeliveries.ts";
import type { MemoryState } from "./tables/index.ts";

const DAY_MS = 24 * 3_600_000;
const WEEK_MS = 7 * DAY_MS;

export function memoryRedeliveries(state: MemoryState): RedeliveryStore {
  const keyOf = (logId: string, deliveryKey: string) => `${logId}\n${deliveryKey}`;
  const save = (logId: string, missed: readonly MissedDelivery[]) => {
    for (const each of missed) {
      const key = keyOf(logId, each.deliveryKey);
      const { event, failedAt } = state.missedDeliveries.get(key)?.missed ?? each;
      state.missedDeliveries.set(key, { logId, missed: { ...each, event, failedAt } });
    }
  };
  return {
    takeTurn: ({ integration, name, startAt, everyMillis, leaseMillis }) =>
      state.transaction(() => {
        const now = state.now();
        const key = `${integration}\n${name}`;
        const log = state.deliveryLogs.get(key);
        if (log === undefined) {
          const position = { seenTo: startAt, walk: null };
          state.deliveryLogs.set(key, { position, nextLookAt: addMillis(now, everyMillis) });
          return null;
        }
        if (log.nextLookAt > now) return null;
        state.deliveryLogs.set(key, { ...log, nextLookAt: addMillis(now, leaseMillis) });
        return { logId: key, now, position: log.position };
      }),
    missed: (logId, keys) =>
      state.transaction(() =>
        [...new Set(keys)]
          .sort()
          .flatMap((key) => state.missedDeliveries.get(keyOf(logId, key))?.missed ?? []),
      ),
    due: (logId, now, limit) =>
      state.transaction(() =>
        [...state.missedDeliveries.values()]
          .filter((entry) => entry.logId === logId)
          .map(({ missed }) => missed)
          .filter(({ state: at, runAt }) => at === "waiting" && runAt <= now)
          .sort((a, b) => a.runAt - b.runAt || (a.deliveryKey < b.deliveryKey ? -1 : 1))
          .slice(0, limit),
      ),
    arrived: (logId, keys) =>
      state.transaction(() => {
        for (const key of keys) state.missedDeliveries.delete(keyOf(logId, key));
      }),
    note: (logId, { position, missed, arrived }) =>
      state.transaction(() => {
        const log = state.deliveryLogs.get(logId);
        if (log !== undefined) state.deliveryLogs.set(logId, { ...log, position });
        for (const key of arrived) state.missedDeliveries.delete(keyOf(logId, key));
        const old = addMillis(state.now(), -WEEK_MS);
        for (const entry of [...state.missedDeliveries.values()]) {
          const { deliveryKey, failedAt, state: at } = entry.missed;
          if (entry.logId !== logId || at !== "given_up" || failedAt >= old) continue;
          state.missedDeliveries.delete(keyOf(logId, deliveryKey));
        }
        save(logId, missed);
      }),
    save: (logId, missed) =>
      state.transaction(() => {
        save(logId, missed);
      }),
    nextLook: (logId, at) =>
      state.transaction(() => {
        const log = state.deliveryLogs.get(logId);
        if (log !== undefined) state.deliveryLogs.set(logId, { ...log, nextLookAt: at });
      }),
    counts: () =>
      state.transaction(() => {
        const counts = { waiting: 0, given_up: 0 };
        const readSince = addMillis(state.now(), -DAY_MS);
        for (const { logId, missed } of state.missedDeliveries.values()) {
          const { nextLookAt } = state.deliveryLogs.get(logId) ?? { nextLookAt: readSince };
          if (nextLookAt > readSince) counts[missed.state] += 1;
        }
        return counts;
      }),
  };
}
