/**
 * Pairings that move, end and return: transferred resources, and records that the app moves.
 *
 * 1. A record has at most one living lane in each connection.
 * 2. A lane left behind by a move keeps a tombstone that names the new place.
 * 3. An ended pairing returns only on proof: a read by id, or a restored record.
 */
export { departLane, takesRecordsPlace } from "./depart-lane.ts";
export { type DuplicateResolution, resolveDuplicateLanes } from "./duplicate-lanes.ts";
export {
  action,
  isHeld,
  laterValues,
  type PlannedAction,
  type PlannedKind,
  type PlannedSight,
  planNews,
  planRecordSide,
  type RecordSide,
} from "./planned.ts";
export {
  connectionsAt,
  deletedWhileAway,
  isBelow,
  isMisplaced,
  leavingLanes,
  type ParentPairing,
  type RecordLocation,
} from "./record-move.ts";
export { hasParentIn, presentParents, withEndedParents } from "./parent-pairings.ts";
export { endedIn, expectedIn, takingBack } from "./record-placement.ts";
export {
  childrenOfMove,
  duplicatesAmong,
  moveChildren,
  misplacedRows,
  type MovedChildren,
} from "./moved-children.ts";
export {
  type DepartingLane,
  type MoveRoutes,
  type ReachedConnection,
  routeDepartures,
} from "./move-routes.ts";
export {
  awaitChildren,
  requeueAfterMove,
  type Departure,
  followParent,
  leaveLane,
  forwardingChain,
  type MoveNews,
  placeText,
  placeFromText,
  removeWith,
  tradePlaces,
} from "./resource-move.ts";
export {
  admitReturn,
  releaseEvents,
  isTooYoungToReturn,
  isUnsent,
  mayBeBack,
  planReturn,
  takeEditTimes,
} from "./resource-return.ts";
export { routeWrites, type WriteRoute, type WrittenRecord } from "./route-writes.ts";
