/**
 * Plans one resource that a list or a read shows, with the present record of its lane:
 *
 *   the resource is unknown, and backfill pairs its type, or its parent has ended        nothing
 *   a late create of ours made it, and its record is deleted                             outlived
 *   admission takes the observation                                                      seen, with actions if it is news
 *   the record differs without news, and records are compared                            record_differs
 *   nothing of these, an orphan, and its parent returned                                 seen, to show the actions
 */
import type { Lane } from "../../model/lane.ts";
import type { Arrival, Context } from "../lane/index.ts";
import {
  deletedWhileAway,
  mayBeBack,
  type PlannedAction,
  type RecordSide,
} from "../lifecycle/index.ts";
import { planOrphan, planOutlived, planSeen } from "./plan-actions.ts";

/** A listed resource with everything that decides its plan. */
export interface Listed {
  /** With the times of captured writes. For an unknown resource, a lane that does not exist. */
  readonly lane: Lane;
  readonly isKnown: boolean;
  readonly arrival: Arrival;
  readonly record: RecordSide;
  /** Backfill still pairs this type, so it decides about unknown resources. */
  readonly isPairing: boolean;
  /** The parent's pairing has ended or is about to, so it takes no more children. */
  readonly isBelowEnded: boolean;
  /** The parent was found alive by this run. */
  readonly isBelowReturned: boolean;
  /** Records are compared, and this one has not left the connection. */
  readonly comparesRecord: boolean;
}

export interface ListedPlan {
  /** The lane has ended, and a read could prove its resource alive. */
  readonly mayBeBack: boolean;
  readonly steps: readonly ListedStep[];
}

interface ListedStep {
  readonly cause: "outlived" | "seen" | "record_differs";
  readonly actions: readonly PlannedAction[];
}

export function planListed(listed: Listed, context: Context): ListedPlan {
  const { lane, isKnown, arrival, isPairing, isBelowEnded, isBelowReturned } = listed;
  if (!isKnown && (isPairing || isBelowEnded)) return { mayBeBack: false, steps: [] };
  const own = ownSteps(listed, context);
  const orphan = isBelowReturned ? planOrphan(lane, arrival, context) : [];
  // The return of its parent makes Tandem read this resource, so the step only shows the actions.
  const isShown = orphan.length > 0 && own.every(({ actions }) => actions.length === 0);
  return {
    mayBeBack: !isPairing && !isBelowEnded && mayBeBack(lane, context),
    steps: isShown ? [{ cause: "seen", actions: orphan }] : own,
  };
}

function ownSteps(
  { lane, arrival, record, isBelowEnded, comparesRecord }: Listed,
  context: Context,
): readonly ListedStep[] {
  // A comment stays below its resource as long as its parent's pairing is ended.
  const left = record.kind === "gone" && !isBelowEnded ? deletedWhileAway(lane) : lane;
  const outlived = planOutlived(left, arrival, context);
  if (outlived.length > 0) return [{ cause: "outlived", actions: outlived }];
  const { isAdmitted, isNews, actions } = planSeen(lane, arrival, record, context);
  const seen: readonly ListedStep[] = isAdmitted
    ? [{ cause: "seen", actions: isNews ? actions : [] }]
    : [];
  if (isNews || !comparesRecord || actions.length === 0) return seen;
  return [...seen, { cause: "record_differs", actions }];
}
