/**
 * Comparisons of whole connections: typed actions that bring a pairing in step, and pairing of what exists.
 *
 * 1. Everything that a listing shows passes through `admit` and `plan`, as an event would.
 * 2. A plan can be shown, weighed or thrown away: making it changes nothing.
 * 3. Two candidates of one key are paired by nobody but a person.
 */
export {
  AMBIGUOUS,
  awaitPairing,
  bindPair,
  recordKey,
  refuseAmbiguous,
  resourceKey,
} from "./pairing.ts";
export {
  planAbsent,
  planOrphan,
  planOutlived,
  planSeen,
  planSurplus,
  planUnpaired,
  planVanished,
  unseenLane,
} from "./plan-actions.ts";
