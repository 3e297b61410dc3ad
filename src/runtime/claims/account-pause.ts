/**
 * Events of an account that is paused or needs attention go back to wait, and burn no attempt. When
 * the pause is over they try again: a corrected token shows by itself.
 */
import { type Context, postpone } from "../../engine/lane/index.ts";
import type { Transition } from "../../model/lane.ts";
import type { Contact, Held } from "../services/index.ts";

/** The lane with its event waiting for the account, or `null` where the account may be used. */
export function awaitAccount(
  { event, start }: Held,
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
