/** Finding lanes by what identifies them, and making those that do not exist. */
import { type ConnectionId, type LaneId, laneId } from "../../../model/ids.ts";
import { type Lane, newLane } from "../../../model/lane.ts";
import { RecordTakenError } from "../../rules/index.ts";
import type { LaneKey } from "../../store.ts";
import type { MemoryState } from "../tables/index.ts";
import { ConstraintError } from "../tables/index.ts";

/** The key of a lane in the index by resource; `null` if the index does not hold the lane. */
export function resourceKeyInMemory(
  lane: Pick<LaneKey, "connectionId" | "resourceType" | "externalId">,
): string | null {
  if (lane.externalId === null) return null;
  return `${lane.connectionId}\n${lane.resourceType}\n${lane.externalId}`;
}

export function livingRecordKey(
  lane: Omit<LaneKey, "externalId"> & Partial<Pick<Lane, "tombstone">>,
): string | null {
  if (lane.recordId === null || (lane.tombstone ?? null) !== null) return null;
  return `${lane.connectionId}\n${lane.resourceType}\n${lane.recordType}\n${lane.recordId}`;
}

export function recordKey(lane: Pick<LaneKey, "recordType" | "recordId">): string | null {
  return lane.recordId === null ? null : `${lane.recordType}\n${lane.recordId}`;
}

/** The order of lanes' ids, which count up. */
export function byId(a: Pick<Lane, "id">, b: Pick<Lane, "id">): number {
  return Number(a.id) - Number(b.id);
}

/** The lane of each key, in the keys' order; keys of one lane give one id. */
export function ensureLanesInMemory(
  state: MemoryState,
  keys: readonly LaneKey[],
): readonly LaneId[] {
  return keys.map((key) => {
    if (key.externalId === null && key.recordId === null) {
      throw new Error("a lane is identified by a resource or a record");
    }
    return findLane(state, key) ?? makeLane(state, key);
  });
}

/** By its resource where that is known, else by its living record. */
function findLane(state: MemoryState, key: LaneKey): LaneId | undefined {
  const resource = resourceKeyInMemory(key);
  if (resource !== null) return state.laneByResource.get(resource);
  return state.laneByLivingRecord.get(livingRecordKey(key) ?? "");
}

function makeLane(state: MemoryState, key: LaneKey): LaneId {
  if (state.connections.get(key.connectionId) === undefined) {
    throw new ConstraintError("23503", `there is no connection ${key.connectionId}`);
  }
  const living = livingRecordKey(key);
  if (living !== null && state.laneByLivingRecord.get(living) !== undefined) {
    throw new RecordTakenError(key);
  }
  const id = laneId(state.count("lane"));
  const lane = newLane(id, key);
  indexLane(state, lane, null);
  return id;
}

/** Keeps a lane where all look-ups find it. `was`: as they have found it until now. */
export function indexLane(state: MemoryState, lane: Lane, was: Lane | null): void {
  const { id } = lane;
  state.lanes.set(id, lane);
  if (lane.live.length > 0) state.busyLanes.set(id, lane);
  else state.busyLanes.delete(id);
  moveKeys(state, id, was, lane);
}

/** Removes a lane; its ended events stay in the ledger. */
export function removeLaneInMemory(state: MemoryState, id: LaneId): void {
  const lane = state.lanes.get(id);
  if (lane === undefined) return;
  state.lanes.delete(id);
  state.busyLanes.delete(id);
  moveKeys(state, id, lane, null);
}

function moveKeys(state: MemoryState, id: LaneId, from: Lane | null, to: Lane | null): void {
  move(state.laneByResource, id, from && resourceKeyInMemory(from), to && resourceKeyInMemory(to));
  move(state.laneByLivingRecord, id, from && livingRecordKey(from), to && livingRecordKey(to));
  move(state.laneByToken, id, from?.intent?.token ?? null, to?.intent?.token ?? null);
  const [before, after] = [from && recordKey(from), to && recordKey(to)];
  if (before === after) return;
  if (before !== null) {
    const others = lanesOf(state, before).filter((each) => each !== id);
    state.lanesOfRecord.set(before, others);
  }
  if (after !== null) {
    const own = [...lanesOf(state, after), id].sort((a, b) => Number(a) - Number(b));
    state.lanesOfRecord.set(after, own);
  }
}

function lanesOf(state: MemoryState, record: string): readonly LaneId[] {
  return state.lanesOfRecord.get(record) ?? [];
}

/** One lane a key, which is what the unique indexes of Postgres hold. */
function move(
  index: MemoryState["laneByResource"],
  id: LaneId,
  before: string | null,
  after: string | null,
): void {
  if (before === after) return;
  // One that traded places may find its former place taken already.
  if (before !== null && index.get(before) === id) index.delete(before);
  if (after === null) return;
  const holder = index.get(after);
  if (holder !== undefined) {
    // Another transaction made that lane after this one looked: a retry finds it.
    throw new ConstraintError("40001", `lane ${holder} has ${JSON.stringify(after)} already`);
  }
  index.set(after, id);
}

/** Every lane that records have or had, in the order of their ids. */
export function lanesOfRecords(
  state: MemoryState,
  recordType: string,
  recordIds: readonly string[],
): readonly (Lane & { readonly recordId: string })[] {
  const ids = [...new Set(recordIds)].flatMap((recordId) =>
    lanesOf(state, recordKey({ recordType, recordId }) ?? ""),
  );
  return ids
    .flatMap((id) => state.lanes.get(id) ?? [])
    .filter((lane): lane is Lane & { readonly recordId: string } => lane.recordId !== null)
    .sort(byId);
}

export function countPairedLanesInMemory(state: MemoryState, connection: ConnectionId): number {
  return pairedLanes(state, connection).length;
}

function pairedLanes(state: MemoryState, connection: ConnectionId): readonly Lane[] {
  return [...state.lanes.values()].filter(
    (lane) => lane.connectionId === connection && lane.recordId !== null && lane.tombstone === null,
  );
}
