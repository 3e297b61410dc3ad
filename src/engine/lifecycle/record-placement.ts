/**
 * What a local write means where its record belongs: which lane takes it, and what it may make there.
 *
 *   1  where the record belongs            `Whereabouts` in `record-move.ts`
 *   2  which of its ended lanes counts     `takingBack`
 *   3  what the write means there          `placeRecord`
 */
import type { ConnectionId } from "../../model/ids.ts";
import type { Lane, RecordMove, Tombstone } from "../../model/lane.ts";

/** A lane of a record that has ended, as far as it says who takes the record back. */
export interface EndedLane extends Pick<Lane, "connectionId">, Pick<Tombstone, "side" | "at"> {
  readonly recordMoved: RecordMove | null;
  /** The connection that its resource came from, while record and children are still to follow. */
  readonly movedFrom: ConnectionId | null;
  /** Its resource went where nothing is connected. */
  readonly isAway: boolean;
}

/** What a record's write means for a connection that it belongs to. */
export type Placement<Ended> =
  /** Its lane there takes the write. */
  | { readonly kind: "paired" }
  /** It had none there before, and begins one: what belongs to it comes too. */
  | { readonly kind: "first" }
  /** Another lane follows the one that has ended. */
  | { readonly kind: "anew" }
  /** The lane that ended with the record takes it back, with its resource. */
  | { readonly kind: "back"; readonly lane: Ended }
  /** Its resource is gone: the write is told there, and makes no other resource by itself. */
  | { readonly kind: "over"; readonly lane: Ended };

/** A record's write, and where else the record is. */
export interface Placed<Ended extends EndedLane> {
  /** Its lanes by one mapping: those that live, and those that have ended, oldest first. */
  readonly living: readonly Pick<Lane, "connectionId">[];
  readonly ended: readonly Ended[];
  /** The app made it anew, or took its deletion back. */
  readonly isRevival: boolean;
  /** It leaves another connection now. */
  readonly isFromElsewhere: boolean;
  /** It belongs to another record. */
  readonly isChild: boolean;
}

/** Decides what a write of a record means for a connection that the record belongs to. */
export function placeRecord<Ended extends EndedLane>(
  connectionId: ConnectionId,
  { living, ended, isRevival, isFromElsewhere, isChild }: Placed<Ended>,
): Placement<Ended> {
  if (living.some((lane) => lane.connectionId === connectionId)) return { kind: "paired" };
  const lane = takingBack(ended, living.length > 0, connectionId);
  if (lane === undefined) return { kind: "first" };
  if (lane.side === "record") return { kind: "back", lane };
  // What it belongs to has another resource here: what is back together with that has followed it before.
  const isBelowAnother = isChild && lane.isAway;
  return isRevival || isFromElsewhere || lane.recordMoved !== null || isBelowAnother
    ? { kind: "anew" }
    : { kind: "over", lane };
}

/**
 * Which of a record's ended lanes counts where it belongs: the last that ended there, or whose resource was
 * moved from there since. That one has the record follow, as if it had been there when its resource went,
 * unless the app has put the record elsewhere meanwhile. Where its resource is gone it has ended there too;
 * so has a double, which a resource that was moved has left behind: it gets no counterpart before it goes.
 *
 * @param ended By one mapping, oldest first.
 * @param isPaired Whether the record has a lane by that mapping that lives, wherever.
 */
export function takingBack<Ended extends EndedLane>(
  ended: readonly Ended[],
  isPaired: boolean,
  connectionId: ConnectionId,
): Ended | undefined {
  const wasPutElsewhere = ({ at }: Ended) =>
    isPaired || ended.some((other) => other.recordMoved !== null && other.at > at);
  const hasEndedOnTheWay = (lane: Ended) =>
    lane.movedFrom === connectionId &&
    lane.recordMoved === null &&
    (lane.side === "resource" || !wasPutElsewhere(lane));
  return ended.findLast((lane) => lane.connectionId === connectionId || hasEndedOnTheWay(lane));
}

/**
 * The connections in which a parent without a living lane is to get its first one. Another worker's drain
 * may be making that lane: its children must not count as unconnected until it commits (situation 55).
 *
 * @param connections Where the parent belongs, by its row.
 * @param ended Its lanes by one mapping, oldest first. One that ended there decides by itself: a restore
 *   notes the children after its commit.
 */
export function expectedIn(
  connections: readonly ConnectionId[],
  ended: readonly EndedLane[],
): readonly ConnectionId[] {
  return connections.filter((id) => takingBack(ended, false, id) === undefined);
}

/**
 * The connections in which a parent has ended: where it was, and where it came from, if it ended on its way.
 * What belongs to it was still to follow from there, and goes on with it once it is back.
 */
export function endedIn({
  connectionId,
  movedFrom,
}: Pick<EndedLane, "connectionId" | "movedFrom">): readonly ConnectionId[] {
  return movedFrom === null ? [connectionId] : [movedFrom, connectionId];
}
