/** Backfills and the keys by which they pair. */
import { type Backfill, NO_PROGRESS } from "../../model/backfill.ts";
import type { Instant } from "../../model/instant.ts";
import type { BackfillStore, NotedKey } from "../backfills.ts";
import { backfillKeyOf, type KeptKey, type MemoryState } from "./tables/index.ts";

export function memoryBackfills(
  state: MemoryState,
  now: Instant,
  step: <T>(work: () => T) => Promise<T>,
): BackfillStore {
  return {
    open: (connection, resourceType, { pairs, creates }) =>
      step(() => {
        const of = backfillKeyOf(connection, resourceType);
        const known = state.backfills.get(of);
        const goesOn = known?.finishedAt === null;
        state.backfills.put(
          goesOn
            ? { ...known, creates: known.creates || creates, runAt: now }
            : {
                connectionId: connection,
                resourceType,
                step: "list",
                cursor: null,
                pairs,
                creates,
                progress: NO_PROGRESS,
                startedAt: now,
                runAt: now,
                leasedUntil: null,
                finishedAt: null,
              },
        );
      }),
    claim: (connection, resourceType, until) =>
      step(() => {
        const of = backfillKeyOf(connection, resourceType);
        const known = state.backfills.get(of);
        if (known?.finishedAt !== null || known.runAt > now) return null;
        if (known.leasedUntil !== null && known.leasedUntil > now) return null;
        const claimed = { ...known, leasedUntil: until };
        state.backfills.put(claimed);
        return claimed;
      }),
    save: (claimed, after) =>
      step(() => {
        const of = backfillKeyOf(claimed.connectionId, claimed.resourceType);
        const known = state.backfills.get(of);
        if (known?.leasedUntil !== claimed.leasedUntil) return false;
        const { pairs, creates, startedAt } = known;
        state.backfills.put({ ...after, pairs, creates, startedAt });
        return true;
      }),
    forgetKeys: (connection, resourceType) =>
      step(() => {
        state.pairingKeys.deleteBy("backfill", backfillKeyOf(connection, resourceType));
      }),
    noteKeys: (connection, resourceType, keys) =>
      step(() => {
        const of = backfillKeyOf(connection, resourceType);
        for (const key of keys) state.pairingKeys.put({ ...key, of });
      }),
    sharedKeys: (connection, resourceType, after, limit) =>
      step(() =>
        [...byKey(state, backfillKeyOf(connection, resourceType))]
          .map(([key, all]) => ({
            key,
            label: all[0]?.label ?? "",
            records: idsOf(all, "record"),
            resources: idsOf(all, "resource"),
          }))
          .filter(({ key, records, resources }) => {
            const isAhead = after === null || key > after;
            return isAhead && records.length > 0 && resources.length > 0;
          })
          .sort((a, b) => (a.key < b.key ? -1 : 1))
          .slice(0, limit),
      ),
    ambiguousRecords: (connection, resourceType, recordIds) =>
      step(() => {
        const found = [...byKey(state, backfillKeyOf(connection, resourceType)).values()]
          .filter((all) => all.length > 2 && all.some(({ side }) => side === "resource"))
          .flatMap((all) => idsOf(all, "record"));
        return new Set(found.filter((id) => recordIds.includes(id)));
      }),
    backlog: (connection, limit) =>
      step(() => {
        const waiting = state.lanes
          .by("busy", true)
          .filter(({ connectionId }) => connectionId === connection)
          .flatMap(({ live }) => live)
          .filter(({ source, state: is }) => source === "backfill" && isOnItsWay(is));
        return Math.min(limit, waiting.length);
      }),
  };
}

function isOnItsWay(state: string): boolean {
  return state === "queued" || state === "processing";
}

function byKey(state: MemoryState, of: string): ReadonlyMap<string, readonly KeptKey[]> {
  const groups = new Map<string, KeptKey[]>();
  for (const key of state.pairingKeys.by("backfill", of)) {
    groups.set(key.key, [...(groups.get(key.key) ?? []), key]);
  }
  return groups;
}

function idsOf(keys: readonly KeptKey[], side: NotedKey["side"]): readonly string[] {
  return keys
    .filter((key) => key.side === side)
    .map(({ id }) => id)
    .sort()
    .slice(0, 11);
}

/** All of them, by connection and resource type. */
export function allBackfills(state: MemoryState): readonly Backfill[] {
  return state.backfills
    .rows()
    .toSorted(
      (a, b) =>
        Number(a.connectionId) - Number(b.connectionId) ||
        (a.resourceType < b.resourceType ? -1 : 1),
    );
}
