/** How far providers' logs of deliveries were read, and what they could not deliver. */
import { addMillis } from "../../model/instant.ts";
import type { MissedDelivery } from "../../model/missed-delivery.ts";
import type { RedeliveryStore } from "../redeliveries.ts";
import { type MemoryState, missKeyOf } from "./tables/index.ts";

const DAY_MS = 24 * 3_600_000;
const WEEK_MS = 7 * DAY_MS;

export function memoryRedeliveries(state: MemoryState): RedeliveryStore {
  const save = (logId: string, missed: readonly MissedDelivery[]) => {
    for (const each of missed) {
      const key = missKeyOf(logId, each.deliveryKey);
      const { event, failedAt } = state.missedDeliveries.get(key)?.missed ?? each;
      state.missedDeliveries.put({ logId, missed: { ...each, event, failedAt } });
    }
  };
  return {
    takeTurn: ({ integration, name, startAt, everyMillis, leaseMillis }) =>
      state.transaction(() => {
        const now = state.now();
        const logId = `${integration}\n${name}`;
        const log = state.deliveryLogs.get(logId);
        if (log === undefined) {
          const position = { seenTo: startAt, walk: null };
          state.deliveryLogs.put({ logId, position, nextLookAt: addMillis(now, everyMillis) });
          return null;
        }
        if (log.nextLookAt > now) return null;
        state.deliveryLogs.put({ ...log, nextLookAt: addMillis(now, leaseMillis) });
        return { logId, now, position: log.position };
      }),
    missed: (logId, keys) =>
      state.transaction(() =>
        [...new Set(keys)]
          .sort()
          .flatMap((key) => state.missedDeliveries.get(missKeyOf(logId, key))?.missed ?? []),
      ),
    due: (logId, now, limit) =>
      state.transaction(() =>
        state.missedDeliveries
          .by("log", logId)
          .map(({ missed }) => missed)
          .filter(({ state: at, runAt }) => at === "waiting" && runAt <= now)
          .sort((a, b) => a.runAt - b.runAt || (a.deliveryKey < b.deliveryKey ? -1 : 1))
          .slice(0, limit),
      ),
    arrived: (logId, keys) =>
      state.transaction(() => {
        for (const key of keys) state.missedDeliveries.delete(missKeyOf(logId, key));
      }),
    note: (logId, { position, missed, arrived }) =>
      state.transaction(() => {
        const log = state.deliveryLogs.get(logId);
        if (log !== undefined) state.deliveryLogs.put({ ...log, position });
        for (const key of arrived) state.missedDeliveries.delete(missKeyOf(logId, key));
        const old = addMillis(state.now(), -WEEK_MS);
        for (const { missed: one } of state.missedDeliveries.by("log", logId)) {
          if (one.state !== "given_up" || one.failedAt >= old) continue;
          state.missedDeliveries.delete(missKeyOf(logId, one.deliveryKey));
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
        if (log !== undefined) state.deliveryLogs.put({ ...log, nextLookAt: at });
      }),
    counts: () =>
      state.transaction(() => {
        const counts = { waiting: 0, given_up: 0 };
        const readSince = addMillis(state.now(), -DAY_MS);
        for (const { logId, missed } of state.missedDeliveries.rows()) {
          const { nextLookAt } = state.deliveryLogs.get(logId) ?? { nextLookAt: readSince };
          if (nextLookAt > readSince) counts[missed.state] += 1;
        }
        return counts;
      }),
  };
}
