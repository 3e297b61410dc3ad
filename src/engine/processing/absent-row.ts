/**
 * What the absence of a record's row says. A row that nobody shows us is deleted only where its delete was
 * captured, or where row security provably hides nothing: a policy hides a row that its owner has edited.
 */
import type { TandemEvent } from "../../model/event.ts";
import type { Transition } from "../../model/lane.ts";
import { type Context, postpone } from "../lane/index.ts";
import { awaitRecord, nextLookAt } from "./inbound.ts";

/**
 * Whether an absent row may live on where we do not see it.
 *
 * @param mayHide Whether row security applies to us in the row's table.
 * @param captured The writes of the row that are captured, oldest first.
 */
export function isHidden(
  mayHide: boolean,
  captured: readonly { readonly operation: "insert" | "update" | "delete" }[],
): boolean {
  return mayHide && captured.at(-1)?.operation !== "delete";
}

/** Sends an event back for a row that the app holds, or that is hidden from us. */
export function awaitRow(
  why: "busy" | "hidden",
  start: Transition,
  event: TandemEvent,
  context: Context,
): Transition {
  return why === "busy" ? awaitRecord(start, event, context) : awaitVisible(start, event, context);
}

/** Sends an event back until the record's row can be seen; no attempt is burnt. */
export function awaitVisible(start: Transition, event: TandemEvent, context: Context): Transition {
  return postpone(start, event, context.now, {
    reason: "record_not_visible",
    runAt: nextLookAt(event, context.now),
  });
}
