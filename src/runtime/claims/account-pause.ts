/**
 * Events of an account that is paused or needs attention are postponed, and no attempt is counted. They are retried
 * after the pause, which also finds out whether a token was corrected.
 */
import { type Context, postpone } from "../../engine/lane/index.ts";
import type { Transition } from "../../model/lane.ts";
import type { Contact, ClaimedLane } from "../services/index.ts";

/** Postpones the event until the account's pause ends; `null` if the account may be used. */
export function awaitAccount(
  { event, start }: ClaimedLane,
  contact: Contact | null,
  context: Context,
): Transition | null {
  const until = contact?.account.pausedUntil ?? null;
  if (contact?.account.state === "active" || until === null || until <= context.now) return null;
  return postpone(start, event, context.now, {
    reason: "account_paused",
    runAt: until,
  });
}
