/** Finding lanes by what identifies them, and making those that do not exist. */
import { type ConnectionId, type LaneId, laneId } from "../../../model/ids.ts";
import { type Lane, newLane } from "../../../model/lane.ts";
import { RecordTakenError } from "../../rules/index.ts";
import type { LaneKey } from "../../store.ts";
import {
  ConstraintError,
  livingRecordKey,
  type MemoryState,
  recordKey,
  resourceKeyInMemory,
} from "../tables/index.ts";

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
function findLane({ lanes }: MemoryState, key: LaneKey): LaneId | undefined {
  const resource = resourceKeyInMemory(key);
  const lane =
    resource === null
      ? lanes.one("livingRecord", livingRecordKey(key))
      : lanes.one("resource", resource);
  return lane?.id;
}

function makeLane(state: MemoryState, key: LaneKey): LaneId {
  if (state.connections.get(key.connectionId) === undefined) {
    throw new ConstraintError("23503", `there is no connection ${key.connectionId}`);
  }
  if (state.lanes.one("livingRecord", livingRecordKey(key)) !== undefined) {
    throw new RecordTakenError(key);
  }
  const id = laneId(state.count("lane"));
  state.lanes.put(newLane(id, key));
  return id;
}

/** Every lane that records have or had, in the order of their ids. */
export function lanesOfRecords(
  state: MemoryState,
  recordType: string,
  recordIds: readonly string[],
): readonly (Lane & { readonly recordId: string })[] {
  return [...new Set(recordIds)]
    .flatMap((recordId) => state.lanes.by("record", recordKey({ recordType, recordId })))
    .filter((lane): lane is Lane & { readonly recordId: string } => lane.recordId !== null)
    .sort(byId);
}

export function countPairedLanesInMemory({ lanes }: MemoryState, connection: ConnectionId): number {
  const isPaired = ({ connectionId, recordId, tombstone }: Lane) =>
    connectionId === connection && recordId !== null && tombstone === null;
  return lanes.rows().filter(isPaired).length;
}
