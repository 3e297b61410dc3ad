/**
 * Moves everything along until nothing is due: what the loops do, one step after another and
 * without a clock of its own. Tests and `tandem work --once` use it.
 */
import { AddressBook } from "./address-book.ts";
import { runAfterCommits } from "./after-commit.ts";
import { advanceBackfills } from "./backfill.ts";
import { claimDue, endDueTogether, passOnLeases } from "./claim.ts";
import { drainChanges } from "./drain.ts";
import { followLink } from "./follow-links.ts";
import { unlessForeign } from "./instance.ts";
import { processClaimed } from "./process-claimed.ts";
import type { Services } from "./services.ts";
import { translateDeliveries } from "./translate-deliveries.ts";

const NEVER = new AbortController().signal;

/** What one settling did. */
export interface Settled {
  readonly deliveries: number;
  readonly changes: number;
  readonly events: number;
}

/**
 * @throws Error when there is still work after `rounds` rounds: something goes in circles.
 */
export async function settle(
  services: Services,
  options: { readonly leaseMillis?: number; readonly rounds?: number } = {},
): Promise<Settled> {
  const { leaseMillis = 60_000, rounds = 1_000 } = options;
  const total = { deliveries: 0, changes: 0, events: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const deliveries = await translateDeliveries(services, "settle");
    const changes = await drainChanges(services);
    const links = await followLink(services);
    const leases = await passOnLeases(services);
    const book = await AddressBook.open(services);
    const together = (await endDueTogether(services, book, "settle", 200)) ?? 0;
    const claims = await claimDue(services, book, "settle", leaseMillis, 16);
    for (const claimed of claims) await processClaimed(services, claimed, book, NEVER);
    const hooks = await runAfterCommits(services, NEVER);
    const backfills = await unlessForeign(services, () => advanceBackfills(services, NEVER));
    total.deliveries += deliveries;
    total.changes += changes;
    total.events += together + claims.length;
    const worked = deliveries + changes + leases + together + claims.length + hooks + backfills;
    if (!links && worked === 0) return total;
  }
  throw new Error(`still not settled after ${String(rounds)} rounds: something goes in circles`);
}
