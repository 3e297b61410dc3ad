/** Texts for events and values in a terminal. Pure. */
import type { ApiConnection, ApiEvent } from "../../server/protocol/index.ts";
import { cut } from "./columns.ts";

/** `tasks 42`; a record that is not created yet has no id. */
export function recordLabel(event: Pick<ApiEvent, "record_type" | "record_id">): string {
  return event.record_id === null
    ? `new in ${event.record_type}`
    : `${event.record_type} ${event.record_id}`;
}

/** `issue 7`; a resource that is not created yet has no id. */
export function resourceLabel(
  event: Pick<ApiEvent, "resource_type" | "integration_external_id">,
): string {
  if (event.resource_type === null) return "no resource";
  const kind = event.resource_type.replaceAll("_", " ");
  return event.integration_external_id === null
    ? `new ${kind}`
    : `${kind} ${event.integration_external_id}`;
}

/** The observation of an event, as a sentence. */
export function describeObservation({ direction, action, source }: ApiEvent): string {
  if (direction === "outbound") {
    return action === "delete" ? "The app deleted the record." : "The app wrote the record.";
  }
  const what = action === "delete" ? "the resource was deleted" : "the resource changed";
  switch (source) {
    case "webhook":
      return `A webhook said that ${what}.`;
    case "poll":
    case "backfill":
      return `A ${source} found that ${what}.`;
    default:
      return `Reading the resource showed that ${what}.`;
  }
}

/** One changed value: `the record's title: "Old" → "New"`. */
export function changeLine({ side, field, from, to }: ApiEvent["changes"][number]): string {
  return `the ${side}'s ${field}: ${shortValue(from)} → ${shortValue(to)}`;
}

export function conflictLine(conflict: ApiEvent["conflicts"][number]): string {
  const { field, winner, kept, lost, why } = conflict;
  const loser = winner === "record" ? "resource" : "record";
  return `conflict over ${field}: the ${winner}'s ${shortValue(kept)} was kept, the ${loser}'s ${shortValue(lost)} was lost, ${WHY[why]}`;
}

const WHY: Readonly<Record<ApiEvent["conflicts"][number]["why"], string>> = {
  both_changed: "because both sides had changed it",
  agreed_before: "because both sides had agreed on it, and then one side changed it",
  record_is_newer: "because the record was changed later",
  late_write: "because it was a late write of our own",
  perhaps_late_write: "although the kept value may be a late write of our own",
  covered_by_our_write: "because our write overwrote it",
  provider_changed_our_value: "because the provider changed the value that we sent",
  record_deleted: "because the record was deleted",
  resource_deleted: "because the resource was deleted",
  record_moved: "because the record was moved away",
  created_twice: "because the resource was created twice, and this was the second one",
  initial_pairing: "because both existed when they were paired",
};

/** A value of a field, short enough for a line. */
export function shortValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return `"${cut(value, 60)}"`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(shortValue).join(", ");
  if (typeof value === "object" && "login" in value) return `@${String(value.login)}`;
  return cut(JSON.stringify(value), 60);
}

/** The directions that are on, and the reason if one is off. */
export function openDirections(connection: ApiConnection): string {
  const { inbound, outbound, paused_reason: reason } = connection;
  if (inbound && outbound) return "both directions on";
  const because = reason === null ? "" : `: ${reason}`;
  if (inbound) return `only inbound${because}`;
  if (outbound) return `only outbound${because}`;
  return `paused${because}`;
}

/** `1 event`, `2 events` */
export function countNoun(many: number, one: string, more = `${one}s`): string {
  return `${many} ${many === 1 ? one : more}`;
}
