/**
 * Connections that a webhook about their installation switched off. The webhook that would switch them on again may
 * be lost, so Tandem asks the provider whether the earlier one still holds.
 *
 * 1. Only a connection that such a webhook switched off is switched on by one. A pause by a person stays.
 * 2. The first request is immediate: a late `suspend` may be over when it arrives. Each further one follows an hour
 *    later, a sixtieth of the requests of a poll.
 */
import type { Connection } from "../../model/connection.ts";
import { addMillis, type Instant } from "../../model/instant.ts";

export const SUSPENDED = "app_suspended";

/** Reasons that end when the installation covers the container again. */
const GIVEN_BACK: ReadonlySet<string | null> = new Set([
  "removed_from_installation",
  "app_uninstalled",
]);

const ASK_AGAIN_MS = 3_600_000;

/** The webhook that switches a connection on again; `null`: none does. */
export function endedBy({
  pausedReason,
}: Pick<Connection, "pausedReason">): "unsuspended" | "added" | null {
  if (pausedReason === SUSPENDED) return "unsuspended";
  return GIVEN_BACK.has(pausedReason) ? "added" : null;
}

/** Whether the provider should be asked now. */
export function asksForAccess(
  connection: Pick<Connection, "pausedReason" | "accessAskedAt">,
  now: Instant,
): boolean {
  const { accessAskedAt: askedAt } = connection;
  if (endedBy(connection) === null) return false;
  return askedAt === null || addMillis(askedAt, ASK_AGAIN_MS) <= now;
}
