/**
 * Pairings that move, end and come back: resources that are transferred, records that the app puts
 * elsewhere.
 *
 * 1. A record has at most one living lane in each connection.
 * 2. A lane that was left keeps a tombstone that says where its pairing went.
 * 3. A pairing that ended comes back only on proof: a read by id, or a record that is here again.
 */
export { type DuplicateResolution, resolveDuplicateLanes } from "./duplicate-lanes.ts";
export {
  action,
  changesTo,
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
  isMisplaced,
  leavingLanes,
  type ParentPairing,
  type Whereabouts,
} from "./record-move.ts";
export { endedIn, expectedIn, placeRecord, takingBack } from "./record-placement.ts";
export { matchChildren } from "./match-children.ts";
export {
  awaitChildren,
  beginAnew,
  type Departure,
  type Destination,
  destinations,
  followParent,
  leaveLane,
  forwardingChain,
  letRecordGo,
  moveLane,
  type MoveNews,
  placeText,
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
