/**
 * A resource that was closed because its record was deleted, and that a late write of ours opened again. The write
 * was sent while the record existed, and was never answered. No person asked for the opening, so Tandem closes the
 * resource once more.
 *
 * Only the content tells. If a person opens the resource within that write's ten minutes, Tandem takes it for the
 * write and closes it, once.
 */
import { sameValue } from "../../model/content.ts";
import { addMillis } from "../../model/instant.ts";
import type { Attempt, Lane } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import { isEndedByRecord } from "../../model/tombstone.ts";
import { admit } from "../admission/index.ts";
import { type Admission, type Arrival, type Context, ownTime, REMEMBER_MS } from "../lane/index.ts";
import { queueRemoval } from "./local-change.ts";
import { closingValues } from "./removal.ts";

/** Admits an arrival, and queues another closing if a late write of ours may have opened the resource. */
export function admitThenReclose(lane: Lane, arrival: Arrival, context: Context): Admission {
  const admission = admit(lane, arrival, context);
  const landed = undoneBy(lane, arrival.observation, context);
  if (landed.length === 0) return admission;
  const unanswered = lane.unanswered.filter((write) => !landed.includes(write));
  const removal = queueRemoval({ ...admission.lane, unanswered }, context);
  // The removal that is queued already will close the resource.
  if (removal.event === null) return admission;
  return { ...removal, ended: [...admission.ended, ...removal.ended], event: admission.event };
}

/** The writes of ours that may have opened the closed resource. Each takes effect only once. */
function undoneBy(
  { tombstone, lastSent, unanswered, clock }: Lane,
  { content, action, updatedAt }: Observation,
  { mapping, clockOffset }: Context,
): readonly Attempt[] {
  if (!isEndedByRecord(tombstone) || lastSent?.kind !== "close") return [];
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
