/**
 * Comparisons of whole connections: planned actions that synchronise a pairing, and the pairing of what exists on
 * both sides.
 *
 * 1. Everything that a listing shows passes through `admit` and `plan`, like an event.
 * 2. Making a plan changes nothing: it can be shown, weighed or discarded.
 * 3. If two candidates share a key, only a person can pair them.
 */
export {
  AMBIGUOUS,
  awaitPairing,
  bindPair,
  recordPairingKey,
  refuseAmbiguous,
  resourcePairingKey,
} from "./pairing.ts";
export { planListed } from "./plan-listed.ts";
export { planAbsent, planSurplus, planUnpaired, planVanished, unseenLane } from "./plan-actions.ts";
