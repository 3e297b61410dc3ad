/** Lanes that are still to be made: an id each, and found by nobody until they are saved. */
import { type LaneId, laneId } from "../../../model/ids.ts";
import { newLane } from "../../../model/lane.ts";
import type { LaneKey } from "../../store.ts";
import { type MemoryState, resourceKeyInMemory } from "../tables/index.ts";
import type { MemoryHeldLanes } from "./lane-locks.ts";

/** Reserves a lane for each key of a resource that has none; keys of one resource give one id. */
export function reserveLanesInMemory(
  state: MemoryState,
  held: MemoryHeldLanes,
  keys: readonly LaneKey[],
): readonly LaneId[] {
  const ids = new Map<string | null, LaneId>();
  for (const [id, lane] of held) if (lane !== null) ids.set(resourceKeyInMemory(lane), id);
  return keys.map((key) => {
    const resource = resourceKeyInMemory(key);
    if (resource === null) throw new Error("a lane is reserved for a resource");
    const id = ids.get(resource) ?? laneId(state.count("lane"));
    if (!ids.has(resource)) held.set(id, newLane(id, key));
    ids.set(resource, id);
    return id;
  });
}
