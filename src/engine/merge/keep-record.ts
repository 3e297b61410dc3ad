/** The app refused to take the resource's changes, since its record is newer: the record wins whole. */
import type { Content } from "../../model/content.ts";
import type { Conflict } from "../../model/event.ts";
import type { Plan } from "./plan.ts";

/**
 * The plan as it is once nothing of it was written to the record: base takes the resource's content
 * all the same, so that what the record has is sent next, and what the resource had is kept.
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
