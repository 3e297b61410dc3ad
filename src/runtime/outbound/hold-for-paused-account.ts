/** Writes that were decided in a batch and must wait, because their account was paused meanwhile. */
import { withoutRefused } from "../../engine/creates/index.ts";
import type { DirectorySnapshot, Claimed, Contact, Services } from "../services/index.ts";
import { awaitAccount, lockClaimed, save } from "../claims/index.ts";

/**
 * Postpones a decided write if its account was paused since; `false` if it may be sent. The noted attempt was not
 * sent, so it is removed: its outcome is not unknown.
 */
export async function holdForPausedAccount(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  begunWith: Contact,
): Promise<boolean> {
  const contact = book.contact(begunWith.connection.id);
  if (contact?.account.state === "active") return false;
  return services.store.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed);
    if (held === null) return true;
    const { lane, event, start } = held;
    const unsent = { ...held, start: { ...start, lane: withoutRefused(lane, event) } };
    const paused = awaitAccount(unsent, contact, book.context(lane, tx.now));
    if (paused === null) return false;
    await save(tx, held, paused);
    return true;
  });
}
