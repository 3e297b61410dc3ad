/**
 * Children that follow their parent, where a record has several lanes: the app put it elsewhere while its
 * resource was out of reach, or a look that was late made it another lane. It has one at the new place.
 */
import type { LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { isUnsent } from "./resource-return.ts";

/** What becomes of the lanes of records that have several. */
export interface DuplicateResolution {
  /** Lanes that have sent nothing, by the one that takes their record: they go. */
  readonly yields: ReadonlyMap<LaneId, readonly Lane[]>;
  /** Lanes that let their record go, and whose resource is removed. */
  readonly leaves: ReadonlySet<LaneId>;
}

/**
 * Which lane keeps its record: one that lives at the new place before one that lives elsewhere, that before
 * one that was out of reach, and of two of those the later; whoever has sent nothing comes last.
 *
 * @param arriving Children that live at the new place once they have followed.
 * @param present Lanes that live there already.
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
