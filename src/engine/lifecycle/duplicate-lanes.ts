/**
 * Children that follow their parent although their record has several lanes: the app moved the record while its
 * resource was out of reach, or a late drain made another lane. The record must have one lane at the new place.
 */
import type { LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { isUnsent } from "./resource-return.ts";

/** The lanes that lose their record to another lane. */
export interface DuplicateResolution {
  /** Lanes that have sent nothing, by the lane that takes their record. They are removed. */
  readonly yields: ReadonlyMap<LaneId, readonly Lane[]>;
  /** Lanes that are detached from their record, and whose resource is removed. */
  readonly leaves: ReadonlySet<LaneId>;
}

/**
 * Decides which lane keeps its record. In this order: a lane that is at the new place already, a lane that lives
 * elsewhere, a lane that was out of reach, a lane that has sent nothing. The later of two equal lanes wins.
 *
 * @param arriving Children that will live at the new place after they have followed.
 * @param present Lanes that live at the new place already.
 */
export function resolveDuplicateLanes(
  arriving: readonly Lane[],
  present: readonly Lane[],
): DuplicateResolution {
  const rank = (lane: Lane) => {
    if (isUnsent(lane)) return 0;
    return present.includes(lane) ? 3 : lane.tombstone === null ? 2 : 1;
  };
  const ordered = [...present, ...arriving].sort(
    (a, b) => rank(b) - rank(a) || Number(b.id) - Number(a.id),
  );
  const keepers = new Map<string, Lane>();
  const yields = new Map<LaneId, Lane[]>();
  const leaves = new Set<LaneId>();
  for (const lane of ordered) {
    if (lane.recordId === null) continue;
    const keeper = keepers.get(lane.recordId);
    if (keeper === undefined) keepers.set(lane.recordId, lane);
    else if (isUnsent(lane)) yields.set(keeper.id, [...(yields.get(keeper.id) ?? []), lane]);
    else leaves.add(lane.id);
  }
  return { yields, leaves };
}
