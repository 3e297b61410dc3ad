/** Lanes as they are found without locking them: what others need to know of one. */
import type { ConnectionId, LaneId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { FormerPlace, Posted } from "../model/lane.ts";
import type { EndedSide, RecordMove } from "../model/tombstone.ts";

/** By its resource. */
export interface LaneOfResource {
  readonly id: LaneId;
  readonly externalId: string;
  readonly recordId: string | null;
  readonly tombstoned: boolean;
  /** The side that was deleted, of a tombstoned one. */
  readonly side: EndedSide | null;
  /** Where its record was moved, of one that ended by that. */
  readonly recordMoved: RecordMove | null;
  /** The place where its resource went, where nothing is connected. */
  readonly movedTo: string | null;
  /**
   * Of a living one: where it came from, as long as its record and children are to follow. Of one that was
   * left behind by a move: where the resource went.
   */
  readonly moved: FormerPlace | null;
}

/** Of a create that left, and whose resource nothing has shown yet. */
export interface LaneOfOpenCreate {
  readonly id: LaneId;
  /** It has waited for long, and nothing but an errored event is left to settle it. */
  readonly stalled: boolean;
  /** `null` where the lane does not say what left, as in rows of older versions. */
  readonly posted: Posted | null;
}

/** By the token of its intent, with what has left for it. */
export interface LaneOfToken {
  readonly id: LaneId;
  /** Where it is by now. */
  readonly connectionId: ConnectionId;
  readonly token: string;
  readonly since: Instant;
  readonly externalId: string | null;
  readonly recordId: string | null;
  /** `null` where nothing has left. */
  readonly posted: Posted | null;
}
