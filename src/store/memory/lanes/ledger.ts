/** Reading the ledger, for people and programs that want to know; nothing here decides. */
import { liveEvents, processing } from "../../../engine/lane/index.ts";
import type { Instant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { DisabledPairing, EventQuery, Ledger, LedgerEvent } from "../../ledger.ts";
import type { ResourceRelations } from "../../rules/index.ts";
import { type MemoryState, recordKey } from "../tables/index.ts";
import { byId, lanesOfRecords } from "./lane-keys.ts";
import { toLedger } from "./ledger-events.ts";
import { newestFirst, memoryStandings } from "./standings.ts";

export function memoryLedger(state: MemoryState, relations: () => ResourceRelations): Ledger {
  return {
    events: (query) => state.transaction(() => eventsOf(state, relations(), query)),
    lanesOfRecord: (recordType, recordId) =>
      state.transaction(() => lanesOfRecords(state, recordType, [recordId])),
    standings: (recordType, recordIds) =>
      state.transaction(() => memoryStandings(state, recordType, recordIds)),
    counts: () =>
      state.transaction(() => {
        const live = { queued: 0, processing: 0, errored: 0, disabled: 0 };
        for (const lane of state.lanes.by("busy", true)) {
          for (const event of lane.live) if (isCounted(event.state, live)) live[event.state] += 1;
        }
        return { live, undrained: state.changes.size };
      }),
    disabledPairings: (limit) =>
      state.transaction(() => {
        const off = state.lanes.rows().filter(({ disabled }) => disabled !== null);
        off.sort((a, b) => Number(a.connectionId) - Number(b.connectionId) || byId(a, b));
        return { count: off.length, pairings: off.slice(0, limit).flatMap(disabledPairing) };
      }),
    now: () => state.transaction(() => state.now()),
    dueNow: () =>
      state.transaction(() => {
        const now = state.now();
        const lanes = state.lanes.by("busy", true);
        const isDue = ({ runAt }: { readonly runAt: Instant }) => runAt <= now;
        return {
          deliveries: state.deliveries.by("pending", true).some(isDue),
          changes: state.changes.size > 0,
          links: state.links.rows().some(isDue),
          leases: lanes.some((lane) => (processing(lane)?.leaseExpiresAt ?? Infinity) <= now),
          events: lanes.some((lane) => (dueOf(lane) ?? Infinity) <= now),
          afterCommits: state.afterCommits.rows().some(isDue),
          backfills: state.backfills
            .rows()
            .some(
              ({ finishedAt, leasedUntil, runAt }) =>
                finishedAt === null && Math.max(runAt, leasedUntil ?? runAt) <= now,
            ),
        };
      }),
    nextDue: () =>
      state.transaction(() => {
        const lanes = state.lanes.by("busy", true);
        return {
          now: state.now(),
          due: earliest(lanes.map(dueOf)),
          leaseDue: earliest(lanes.map((lane) => processing(lane)?.leaseExpiresAt ?? null)),
          deliveryDue: earliest(state.deliveries.by("pending", true).map(({ runAt }) => runAt)),
        };
      }),
  };
}

function disabledPairing(lane: Lane): readonly DisabledPairing[] {
  const { connectionId, resourceType, externalId, recordType, recordId, disabled } = lane;
  if (disabled === null) return [];
  const key = { connectionId, resourceType, externalId, recordType, recordId };
  return [{ laneId: lane.id, ...key, ...disabled }];
}

function isShown({ laneId }: Pick<LedgerEvent, "laneId">, journal: EventQuery["journal"]): boolean {
  if (journal === "only") return laneId === null;
  return journal !== "without" || laneId !== null;
}

function isCounted<State extends string>(
  state: string,
  counts: Readonly<Record<State, number>>,
): state is State {
  return state in counts;
}

/** When a lane can be claimed next, by the same rule as claims: inbound first. */
function dueOf(lane: Lane): Instant | null {
  if (processing(lane) !== null) return null;
  const inbound = liveEvents(lane, "queued", "inbound");
  const waiting = inbound.length > 0 ? inbound : liveEvents(lane, "queued", "outbound");
  return earliest(waiting.map(({ runAt }) => runAt));
}

function earliest(times: readonly (Instant | null)[]): Instant | null {
  let first: Instant | null = null;
  for (const time of times) if (time !== null && (first === null || time < first)) first = time;
  return first;
}

/**
 * A record's events are found by its lanes, for an event may be older than its record; its own
 * writes, which have no lane, by itself.
 */
function eventsOf(
  state: MemoryState,
  relations: ResourceRelations,
  query: EventQuery,
): readonly LedgerEvent[] {
  const { record } = query;
  const candidates =
    record !== undefined
      ? [
          ...lanesOfRecords(state, record.type, [record.id]).flatMap((lane) =>
            eventsOfLane(state, relations, lane.id),
          ),
          ...state.ended.by("journal", recordKey({ recordType: record.type, recordId: record.id })),
        ]
      : query.laneId === undefined
        ? allEvents(state, relations)
        : eventsOfLane(state, relations, query.laneId);
  const wanted = ({ id, state: eventState, ...event }: LedgerEvent) =>
    (query.id === undefined || id === query.id) &&
    (query.state === undefined || eventState === query.state) &&
    (query.direction === undefined || event.direction === query.direction) &&
    (query.connectionId === undefined || event.connectionId === query.connectionId) &&
    (query.laneId === undefined || event.laneId === query.laneId) &&
    (query.before === undefined || id < query.before) &&
    isShown(event, query.journal);
  return candidates.filter(wanted).sort(newestFirst).slice(0, query.limit);
}

function eventsOfLane(
  state: MemoryState,
  relations: ResourceRelations,
  id: Lane["id"],
): readonly LedgerEvent[] {
  const lane = state.lanes.get(id);
  const live = lane?.live.map((event) => toLedger(state, relations, lane, event)) ?? [];
  return [...live, ...state.ended.by("lane", id)];
}

function allEvents(state: MemoryState, relations: ResourceRelations): readonly LedgerEvent[] {
  const live = state.lanes
    .by("busy", true)
    .flatMap((lane) => lane.live.map((event) => toLedger(state, relations, lane, event)));
  return [...live, ...state.ended.rows()];
}
