/** Finding lanes in memory: a predicate a kind of query, and an order for the few that have their own. */
import type { TandemEvent } from "../../../model/event.ts";
import type { Instant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import { placeOutOfReach } from "../../../model/tombstone.ts";
import type { FoundLane, LaneQuery, LaneSummary } from "../../lanes.ts";
import { type MemoryState, recordKey, resourceKeyInMemory } from "../tables/index.ts";
import { byId } from "./lane-keys.ts";

export function findLanesInMemory<Query extends LaneQuery>(
  state: MemoryState,
  query: Query,
): readonly FoundLane<Query>[] {
  const found = candidates(state, query)
    .filter(predicateOf(state, query))
    .sort(orderOf(query))
    .slice(0, "limit" in query ? query.limit : undefined)
    .map((lane) => ({
      ...summaryOf(lane),
      ...(query.kind === "came_from" && { display: lane.display }),
      ...(query.kind === "open_creates" && { stalled: hasStalled(lane, query.stalledSince) }),
    }));
  // The predicate of the kind excludes what the type excludes.
  return found as readonly LaneSummary[] as readonly FoundLane<Query>[];
}

/** The lanes that an index gives for a query, or all lanes. */
function candidates(state: MemoryState, query: LaneQuery): readonly Lane[] {
  return indexed(state, query) ?? state.lanes.rows();
}

function indexed({ lanes }: MemoryState, query: LaneQuery): readonly Lane[] | null {
  switch (query.kind) {
    case "of_resources":
      return distinct(query.externalIds).flatMap(
        (externalId) => lanes.one("resource", resourceKeyInMemory({ ...query, externalId })) ?? [],
      );
    case "of_tokens":
      return distinct(query.tokens).flatMap((token) => lanes.one("token", token) ?? []);
    case "of_records":
    case "ended_of_records":
      return distinct(query.recordIds).flatMap((recordId) =>
        lanes.by("record", recordKey({ ...query, recordId })),
      );
    default:
      return null;
  }
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function predicateOf(state: MemoryState, query: LaneQuery): (lane: Lane) => boolean {
  const isOfType = (lane: Lane) =>
    (!("connectionId" in query) || lane.connectionId === query.connectionId) &&
    (!("resourceType" in query) || lane.resourceType === query.resourceType);
  switch (query.kind) {
    case "of_resources":
      return isOfType;
    case "of_tokens":
      return ({ connectionId, resourceType, intent }) =>
        resourceType === query.resourceType &&
        [connectionId, intent?.leftFrom].includes(query.connectionId);
    case "of_records":
      return ({ tombstone }) => tombstone === null;
    case "ended_of_records":
      return ({ tombstone }) => tombstone !== null;
    case "open_creates":
      return (lane) => {
        const { externalId, intent, live } = lane;
        if (!isOfType(lane) || externalId !== null || intent === null) return false;
        const isAttended = live.some(({ direction }) => direction === "outbound");
        const counts = query.withToken && intent.posted !== undefined && isAttended;
        return intent.tokenless || counts;
      };
    case "children":
      return (lane) => isOfType(lane) && lane.parent?.externalId === query.parentExternalId;
    case "unpaired_children": {
      const above = new Set(
        query.parents.map((id) => {
          const lane = state.lanes.get(id);
          return lane === undefined ? null : resourceKeyInMemory(lane);
        }),
      );
      return ({ connectionId, parent, recordId, tombstone }) => {
        if (parent === null || recordId !== null || tombstone !== null) return false;
        const { type, externalId } = parent;
        return above.has(resourceKeyInMemory({ connectionId, resourceType: type, externalId }));
      };
    }
    case "moved_to":
      return (lane) => isOfType(lane) && placeOutOfReach(lane.tombstone) === query.place;
    case "out_of_reach":
      return (lane) =>
        isOfType(lane) &&
        query.connectionIds.includes(lane.connectionId) &&
        placeOutOfReach(lane.tombstone) !== null &&
        lane.tombstone?.record === "present" &&
        lane.externalId !== null &&
        lane.recordId !== null;
    case "came_from":
      return (lane) => isOfType(lane) && lane.cameFrom === query.place && lane.externalId !== null;
    case "with_resource":
      return (lane) =>
        isOfType(lane) &&
        Number(lane.id) > Number(query.after ?? 0) &&
        lane.externalId !== null &&
        lane.tombstone === null;
    case "with_record":
      return (lane) =>
        isOfType(lane) &&
        lane.recordType === query.recordType &&
        lane.recordId !== null &&
        lane.tombstone === null &&
        (query.after === null || lane.recordId > query.after);
  }
}

function orderOf({ kind }: LaneQuery): (a: Lane, b: Lane) => number {
  switch (kind) {
    case "ended_of_records":
      return (a, b) => (a.tombstone?.at ?? 0) - (b.tombstone?.at ?? 0) || byId(a, b);
    case "came_from":
      return (a, b) => Number(a.tombstone !== null) - Number(b.tombstone !== null) || byId(a, b);
    case "out_of_reach":
      return (a, b) => (b.tombstone?.at ?? 0) - (a.tombstone?.at ?? 0) || byId(b, a);
    case "with_record":
      return (a, b) => ((a.recordId ?? "") < (b.recordId ?? "") ? -1 : 1);
    default:
      return byId;
  }
}

function hasStalled({ intent, live }: Lane, since: Instant): boolean {
  const isSettled = ({ direction, state }: TandemEvent) =>
    direction === "inbound" || state === "errored";
  return intent !== null && intent.since <= since && live.every(isSettled);
}

function summaryOf(lane: Lane): LaneSummary {
  const { id, connectionId, resourceType, recordType, externalId, recordId } = lane;
  const { tombstone, moved, intent } = lane;
  return {
    ...{ id, connectionId, resourceType, recordType, externalId, recordId },
    ...{ tombstone, moved, intent },
  };
}
