/**
 * Following resources and records that move to another connection, with their children.
 *
 * 1. Both lanes are locked, in the order of their ids.
 * 2. Record and children follow in the transaction that merges the lane's next event.
 * 3. A pairing whose resource left every connection ends, and its record stays.
 */
export { goneOn } from "./disconnected.ts";
export { followMove } from "./follow-moves.ts";
export { awayLanes, findReturned, followReturned } from "./returned.ts";
export {
  familyOf,
  type MoveRead,
  movingLane,
  type MovingLane,
  readMoved,
  removeDoublesWith,
  settleMove,
} from "./settle-move.ts";
export { leaveWithParent, resumeBelow, strandChildren } from "./stranded-children.ts";
export { isSamePlace } from "./trail.ts";
