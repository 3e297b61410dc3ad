/** The app's `apply` hook refused the resource's changes because its record is newer: the record wins whole. */
import type { Content } from "../../model/content.ts";
import type { Conflict } from "../../model/event.ts";
import type { Plan } from "./plan.ts";

/**
 * The plan without its changes to the record. Base still takes the resource's content, so that the record's
 * values are sent next; the refused values are recorded as conflicts.
 */
export function keepRecord(merged: Plan, record: Content | null): Plan {
  const refused = Object.entries(merged.toRecord).map(([field, lost]): Conflict => ({
    field,
    winner: "record",
    kept: record?.[field] ?? null,
    lost,
    why: "record_is_newer",
  }));
  const others = merged.conflicts.filter(({ field }) => !(field in merged.toRecord));
  return { ...merged, toRecord: {}, conflicts: [...others, ...refused], outcome: "lost" };
}
