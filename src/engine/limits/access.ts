/**
 * Connections that news of their installation switched off. The news that would switch them on again may
 * be lost, so the provider is asked whether the old news still holds.
 *
 * 1. Only what news has switched off, news switches on: a pause by a person holds whatever is said.
 * 2. The first look comes at once: a `suspend` that was long under way may be over when it arrives. Each
 *    one after it comes an hour later, a sixtieth of what a poll would ask.
 */
import type { Connection } from "../../model/connection.ts";
import { addMillis, type Instant } from "../../model/instant.ts";

export const SUSPENDED = "app_suspended";

/** Reasons that end when a container is given back. */
const GIVEN_BACK: ReadonlySet<string | null> = new Set([
  "removed_from_installation",
  "app_uninstalled",
]);

const ASK_AGAIN_MS = 3_600_000;

/** The news that switches a connection on again; `null`: none does. */
export function endedBy({
  pausedReason,
}: Pick<Connection, "pausedReason">): "unsuspended" | "added" | null {
  if (pausedReason === SUSPENDED) return "unsuspended";
  return GIVEN_BACK.has(pausedReason) ? "added" : null;
}

/** Whether it is time to ask. */
export function asksForAccess(
  connection: Pick<Connection, "pausedReason" | "accessAskedAt">,
  now: Instant,
): boolean {
  const { accessAskedAt: askedAt } = connection;
  if (endedBy(connection) === null) return false;
  return askedAt === null || addMillis(askedAt, ASK_AGAIN_MS) <= now;
}
