/**
 * The effect of a reported move of a resource on a lane at its old address. Exactly one of three:
 *
 *   gone    its resource is known to have left, so the report is a late deletion there, or says nothing new
 *   moves   a connection covers the new address, and the lane goes there (`moveLane`)
 *   leaves  no connection covers it (`leaveLane`)
 */
import type { Decided, Lane } from "../../model/lane.ts";
import type { Observation, ResourceMove } from "../../model/observation.ts";
import { admit } from "../admission/index.ts";
import type { Context } from "../lane/index.ts";
import { leaveLane, letRecordGo, moveLane, type MoveNews, placeText } from "./resource-move.ts";

/** A lane that is locked, with the lane that it meets at the new address. */
export interface HeldDeparture {
  readonly lane: Lane;
  readonly context: Context;
  /** Its resource is known to be deleted there, or moved from there. */
  readonly gone: boolean;
  /** `null`: no connection covers the new address. */
  readonly place: { readonly lane: Lane; readonly context: Context } | null;
  /** The app has put its record elsewhere meanwhile, so the lane moves without it. */
  readonly leavesRecord: boolean;
}

/** Decides on one lane, and on the one that it meets. The resource's number and page are those of the new place. */
export function departLane(
  { lane, context, gone, place, leavesRecord }: HeldDeparture,
  { seen, to }: Pick<ResourceMove, "seen" | "to">,
  known: Pick<MoveNews, "source" | "deliveryId">,
): readonly Decided[] {
  if (gone) {
    if (known.source !== "webhook" || seen === null || lane.externalId === null) return [];
    const observation = departed(seen, lane.externalId);
    const after = admit(lane, { ...known, observation, verifiedAt: null }, context);
    return [{ before: lane, after }];
  }
  const display = seen?.display ?? {};
  if (place === null || place.lane.id === lane.id) {
    const after = leaveLane(lane, placeText(to), { ...known, display: pointer(display) }, context);
    return [{ before: lane, after }];
  }
  const moved = moveLane(lane, place.lane, { ...known, display }, place.context);
  const there = leavesRecord ? letRecordGo(moved.there, place.context) : moved.there;
  return [
    { before: lane, after: there },
    { before: place.lane, after: moved.behind },
  ];
}

/** Whether a lane without a record would take the place of one that has found a record meanwhile. */
export function takesRecordsPlace(lane: Lane, place: Lane | null): boolean {
  return lane.recordId === null && place?.tombstone === null && place.recordId !== null;
}

/** The resource's departure from its old address, as an observation. */
function departed(seen: Observation, externalId: string): Observation {
  return { ...seen, externalId, action: "delete", content: null, display: {} };
}

/** The display of a lane that ends at the old address: it shows the new page, and keeps its own number. */
function pointer({ url }: Observation["display"]): MoveNews["display"] {
  return url === undefined ? {} : { movedTo: url };
}
