/**
 * Admission of a batch: find the lane of each arrival, lock the lanes, let the engine decide, save the decisions.
 *
 * 1. Lanes are locked in the order of their ids.
 * 2. Arrivals of one lane are decided in the order given.
 * 3. The caller chooses how decisions are saved.
 */
export {
  type AdmissionSummary,
  admitArrivals,
  type Adoptions,
  identifyArrivals,
  type Incoming,
  LaneMovedError,
  type SaveAdmitted,
} from "./admit-batch.ts";
export { goneArrival, noteParentGone } from "./deletion.ts";
export { decideByContent, holdNamed, isIn, passOrWait } from "./unmarked-creates.ts";
