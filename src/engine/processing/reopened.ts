/**
 * A resource that was closed for its record's sake, and then opened again by a write of ours that had
 * been on its way for longer: it left while the record was there, and was never answered. Whoever closed
 * the resource has not seen it, and nobody wishes it open: it is closed once more.
 *
 * Told by what it shows only: whoever opens it by hand within that write's ten minutes is taken for the
 * write, once.
 */
import { sameValue } from "../../model/content.ts";
import { addMillis } from "../../model/instant.ts";
import type { Attempt, Lane } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import { admit } from "../admission/index.ts";
import { type Admission, type Arrival, type Context, ownTime, REMEMBER_MS } from "../lane/index.ts";
import { queueRemoval } from "./local-change.ts";
import { closingValues } from "./removal.ts";

/** Admits an arrival, and closes what it shows to be open by our own late write. */
export function admitThenReclose(lane: Lane, arrival: Arrival, context: Context): Admission {
  const admission = admit(lane, arrival, context);
  const landed = undoneBy(lane, arrival.observation, context);
  if (landed.length === 0) return admission;
  const unanswered = lane.unanswered.filter((write) => !landed.includes(write));
  const removal = queueRemoval({ ...admission.lane, unanswered }, context);
  // Whoever is about to close it will see, or the next look does.
  if (removal.event === null) return admission;
  return { ...removal, ended: [...admission.ended, ...removal.ended], event: admission.event };
}

/** The writes of ours that may have undone what closed the resource: each does so once. */
function undoneBy(
  { tombstone, lastSent, unanswered, clock }: Lane,
  { content, action, updatedAt }: Observation,
  { mapping, clockOffset }: Context,
): readonly Attempt[] {
  if (tombstone?.side !== "record" || lastSent?.kind !== "close") return [];
  if (content === null || action === "delete" || (clock !== null && updatedAt < clock.at))
    return [];
  const at = ownTime(updatedAt, clockOffset);
  const opened = Object.entries(closingValues(mapping)).filter(
    ([field, closed]) => content[field] !== undefined && !sameValue(content[field], closed),
  );
  return unanswered.filter(
    ({ kind, values, sentAt }) =>
      kind === "patch" &&
      at <= addMillis(sentAt, REMEMBER_MS) &&
      opened.some(([field]) => sameValue(values[field], content[field])),
  );
}
