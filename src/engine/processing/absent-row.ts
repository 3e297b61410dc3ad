/**
 * A record's row that Tandem does not find. It counts as deleted only if its delete was captured, or if row security
 * provably hides nothing: an edit by its owner may make a policy hide the row.
 */
import type { TandemEvent } from "../../model/event.ts";
import type { Transition } from "../../model/lane.ts";
import { type Context, postpone } from "../lane/index.ts";
import { awaitRecord, nextLookAt } from "./inbound.ts";

/**
 * Whether an absent row may exist but be hidden from Tandem.
 *
 * @param mayHide Whether row security applies to Tandem's role in the row's table.
 * @param captured The captured writes of the row, oldest first.
 */
export function isHidden(
  mayHide: boolean,
  captured: readonly { readonly operation: "insert" | "update" | "delete" }[],
): boolean {
  return mayHide && captured.at(-1)?.operation !== "delete";
}

/** Postpones an event whose row the app has locked, or row security may hide. */
export function awaitRow(
  why: "busy" | "hidden",
  start: Transition,
  event: TandemEvent,
  context: Context,
): Transition {
  return why === "busy" ? awaitRecord(start, event, context) : awaitVisible(start, event, context);
}

/** Postpones an event until the record's row can be seen; the attempt is not counted. */
export function awaitVisible(start: Transition, event: TandemEvent, context: Context): Transition {
  return postpone(start, event, context.now, {
    reason: "record_not_visible",
    runAt: nextLookAt(event, context.now),
  });
}
