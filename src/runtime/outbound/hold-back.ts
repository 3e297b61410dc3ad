/** Writes that were begun with others, and may not leave: their account was paused meanwhile. */
import { withoutRefused } from "../../engine/creates/index.ts";
import type { AddressBook, Claimed, Contact, Services } from "../services/index.ts";
import { awaitAccount, hold, save } from "../claims/index.ts";

/**
 * Lets a write that was begun wait where its account was paused since; `false` where it may leave. What
 * was noted of it has not left, and is no unknown outcome.
 */
export async function waitsForAccount(
  services: Services,
  claimed: Claimed,
  book: AddressBook,
  begunWith: Contact,
): Promise<boolean> {
  const contact = book.contact(begunWith.connection.id);
  if (contact?.account.state === "active") return false;
  return services.store.transaction(async (tx) => {
    const held = await hold(tx, claimed);
    if (held === null) return true;
    const { lane, event, start } = held;
    const unsent = { ...held, start: { ...start, lane: withoutRefused(lane, event) } };
    const paused = awaitAccount(unsent, contact, book.context(lane, tx.now));
    if (paused === null) return false;
    await save(tx, held, paused);
    return true;
  });
}
