/** A lane as it is found by its resource: what others need to know of it without locking it. */
import type { LaneId } from "../model/ids.ts";
import type { FormerPlace, RecordMove, Tombstone } from "../model/lane.ts";

export interface LaneOfResource {
  readonly id: LaneId;
  readonly externalId: string;
  readonly recordId: string | null;
  readonly tombstoned: boolean;
  /** The side that was deleted, of a tombstoned one. */
  readonly side: Tombstone["side"] | null;
  /** Where its record was moved, of one that ended by that. */
  readonly recordMoved: RecordMove | null;
  /**
   * Of a living one: where it came from, as long as its record and children are to follow. Of one that was
   * left behind by a move: where the resource went.
   */
  readonly moved: FormerPlace | null;
}
